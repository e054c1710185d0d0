"""How long names of divisions are shortened by those who write them every day."""

import re

PEOPLES = (  # noqa: SIM905
    "蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇 "
    "柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 "
    "京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺 各"
).split()
AUTONOMOUS = re.compile(rf"(.+?)(?:(?:{'|'.join(sorted(PEOPLES, key=len, reverse=True))})族)*族?自治([县旗])")
SUFFIX = re.compile(r"(.{2,})[县市区旗]")


def short_name(name: str) -> str:
    """``威宁彝族回族苗族自治县`` → ``威宁县``, ``东乡族自治县`` → ``东乡县``; "" for a name that is short already."""
    found = AUTONOMOUS.fullmatch(name)
    return f"{found[1]}{found[2]}" if found else ""


def bare_name(name: str) -> str:
    """``积石山县`` → ``积石山``; "" where less than two characters would be left."""
    found = SUFFIX.fullmatch(short_name(name) or name)
    return found[1] if found else ""
