"""The pages a creator sees on the simulated platform, in the vendor's language."""

STYLE = """
body{margin:0;font:16px/1.6 "PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif;background:#f6f6f8;color:#222}
main{max-width:26rem;margin:2rem auto;padding:1.5rem;background:#fff;border-radius:12px;box-shadow:0 1px 6px #0002}
h1{font-size:1.2rem;margin:0 0 1rem}ul{padding-left:1.2rem;color:#555}label{display:block;margin:1rem 0 .3rem}
input{width:100%;box-sizing:border-box;font:inherit;padding:.7rem;border:1px solid #bbb;border-radius:8px}
button{width:100%;min-height:48px;margin-top:.8rem;font:inherit;border:0;border-radius:24px;cursor:pointer}
.yes{background:#d9480f;color:#fff}.no{background:#eee;color:#333}.note{color:#777;font-size:.85rem}.wrong{color:#b00020}
"""


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )


def consent_page(vendor: str, handle: str, wrong: str = "") -> str:
    """The consent page of ``vendor``; ``handle`` (escaped) fills the field, ``wrong`` is a sentence above it."""
    told = f'<p class="wrong" role="alert">{wrong}</p>' if wrong else ""
    return _page(
        "授权登录（模拟平台）",
        f"""<h1>“乡村创作者培育管理系统”申请读取你的账号信息</h1>
<ul><li>昵称、头像和粉丝数</li><li>不会读取私信，不会代你发布作品</li></ul>{told}
<form method="post"><label for="handle">你的{vendor}号</label>
<input id="handle" name="handle" value="{handle}" autocomplete="username" autofocus>
<button class="yes" name="decision" value="agree">同意授权</button>
<button class="no" name="decision" value="refuse">拒绝</button></form>
<p class="note">这是演示用的模拟平台，不是真实的{vendor}。</p>""",
    )


def refusal_page(sentence: str) -> str:
    """The page for a question the platform does not accept; it never sends the browser back."""
    return _page("无法授权（模拟平台）", f"<h1>无法授权</h1><p>{sentence}</p>")
