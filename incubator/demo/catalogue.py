"""The sample catalogue: what a rural short-video and live-stream programme teaches. All invented.

Fifty courses of 140 class hours in all; the eight that the demo county's classes teach are among them.
"""

from typing import NamedTuple

from courses.choices import CourseKind, Delivery

GENERAL, PROFESSIONAL, PRACTICE, VISIT = (
    CourseKind.GENERAL,
    CourseKind.PROFESSIONAL,
    CourseKind.PRACTICE,
    CourseKind.VISIT,
)
ONLINE, ON_SITE = Delivery.ONLINE, Delivery.ON_SITE


class Offered(NamedTuple):
    """One course: ``hours`` are class hours of 45 minutes."""

    code: str
    title: str
    kind: CourseKind
    hours: float
    delivery: Delivery
    syllabus: str


CATALOGUE = [
    # 通识
    Offered("TS01", "乡村振兴政策与电商法规", GENERAL, 4, ON_SITE, "中央一号文件要点；电商法、广告法中主播须知。"),
    Offered("TS02", "账号安全与网络文明", GENERAL, 2, ON_SITE, "账号保护、防诈骗、网络暴力的应对、文明用语。"),
    Offered("TS03", "平台规则与内容红线", GENERAL, 4, ON_SITE, "社区规则、违规案例、申诉流程。"),
    Offered("TS04", "农村青年创业的第一步", GENERAL, 2, ONLINE, "从想法到试水：找准自己、算清本钱、小步快走。"),
    Offered("TS05", "普通话与上镜表达", GENERAL, 3, ON_SITE, "发音、气息、眼神与手势，方言的得体使用。"),
    Offered("TS06", "个人信息保护与肖像权", GENERAL, 1, ONLINE, "拍别人要不要同意；未成年人出镜；身份证件不上镜。"),
    Offered("TS07", "短视频时代的乡村文化", GENERAL, 2, ONLINE, "民俗、非遗、手艺：拍什么，怎样尊重着拍。"),
    Offered("TS08", "合同、发票与纳税常识", GENERAL, 2, ONLINE, "带货合同怎么看，收入如何申报，发票如何开具。"),
    Offered("TS09", "心理建设与抗压", GENERAL, 1, ONLINE, "面对差评和低谷，安排好作息与家庭。"),
    Offered("TS10", "合作社与家庭农场经营常识", GENERAL, 2, ONLINE, "组织形式、利益分配、带动农户的常见做法。"),
    # 专业
    Offered("ZY01", "短视频选题与脚本", PROFESSIONAL, 6, ON_SITE, "选题库、三秒开头、分镜脚本、口播稿。"),
    Offered("ZY02", "手机拍摄与剪辑", PROFESSIONAL, 8, ON_SITE, "构图、用光、收音、剪映基础与封面制作。"),
    Offered("ZY03", "直播间搭建与话术", PROFESSIONAL, 6, ON_SITE, "场景、灯光、流程表、开场与逼单话术、控评。"),
    Offered("ZY04", "农产品选品与供应链", PROFESSIONAL, 4, ON_SITE, "选品标准、打包发货、冷链、售后。"),
    Offered("ZY05", "数据复盘与粉丝运营", PROFESSIONAL, 4, ON_SITE, "完播率、互动率、粉丝画像，每周复盘一次。"),
    Offered("ZY06", "账号定位与人设", PROFESSIONAL, 3, ON_SITE, "我是谁、给谁看、凭什么：一页纸定位。"),
    Offered("ZY07", "乡村生活类内容创作", PROFESSIONAL, 3, ON_SITE, "一日三餐、四季农事、邻里故事的拍法。"),
    Offered("ZY08", "农技科普类内容创作", PROFESSIONAL, 3, ON_SITE, "把一项农活讲明白：问题、办法、效果、提醒。"),
    Offered("ZY09", "乡村美食类内容创作", PROFESSIONAL, 3, ON_SITE, "食材来历、做法特写、声音与烟火气。"),
    Offered("ZY10", "文旅与民宿推介", PROFESSIONAL, 3, ON_SITE, "线路、机位、季节看点，引导到店与预订。"),
    Offered("ZY11", "口播与镜头感训练", PROFESSIONAL, 3, ON_SITE, "提词、停顿、对着镜头像对着熟人。"),
    Offered("ZY12", "标题、封面与话题标签", PROFESSIONAL, 2, ONLINE, "好标题的写法，封面统一，话题的选择。"),
    Offered("ZY13", "剪映进阶：节奏与字幕", PROFESSIONAL, 3, ON_SITE, "卡点、变速、字幕样式、音乐版权。"),
    Offered("ZY14", "航拍入门与飞行安全", PROFESSIONAL, 3, ON_SITE, "实名登记、禁飞区、基本航线、田野取景。"),
    Offered("ZY15", "农产品带货短视频", PROFESSIONAL, 3, ON_SITE, "卖点提炼、对比演示、挂车与评论区引导。"),
    Offered("ZY16", "直播选品与排品", PROFESSIONAL, 3, ON_SITE, "福利款、主推款、利润款，一场直播的排品表。"),
    Offered("ZY17", "直播中控与场控", PROFESSIONAL, 2, ON_SITE, "上架改价、福袋、弹幕应对、突发情况。"),
    Offered("ZY18", "短视频与直播的投流基础", PROFESSIONAL, 2, ONLINE, "什么时候投、投给谁、投多少，怎样看结果。"),
    Offered("ZY19", "农产品品牌与包装", PROFESSIONAL, 3, ON_SITE, "地理标志、品牌故事、礼盒与快递箱设计。"),
    Offered("ZY20", "食品安全与标签标识", PROFESSIONAL, 2, ONLINE, "小作坊登记、标签要素、检测报告、功效宣传禁区。"),
    Offered("ZY21", "快递物流与售后处理", PROFESSIONAL, 2, ONLINE, "破损赔付、坏果包赔、差评沟通。"),
    Offered("ZY22", "团队搭建与分工", PROFESSIONAL, 2, ON_SITE, "主播、拍摄、运营、客服，一人多岗怎样排班。"),
    Offered("ZY23", "用人工智能写脚本和剪辑", PROFESSIONAL, 2, ONLINE, "提问的方法、改写与核对、生成内容的标识。"),
    Offered("ZY24", "爆款拆解", PROFESSIONAL, 2, ONLINE, "从十条高播放作品中学选题、结构和情绪。"),
    # 实训
    Offered("SX01", "拍一条自我介绍", PRACTICE, 2, ON_SITE, "一分钟，三个镜头，当堂拍、当堂评。"),
    Offered("SX02", "田间地头拍摄实训", PRACTICE, 3, ON_SITE, "分组到地里拍一组农事镜头，回来剪成一条。"),
    Offered("SX03", "直播间模拟开播", PRACTICE, 4, ON_SITE, "轮流当主播、中控和观众，录像复盘。"),
    Offered("SX04", "家乡好物带货实训", PRACTICE, 4, ON_SITE, "选一样家乡产品，从脚本到挂车完整做一遍。"),
    Offered("SX05", "账号诊断工作坊", PRACTICE, 3, ON_SITE, "带着自己的账号来，老师和同学逐个会诊。"),
    Offered("SX06", "剪辑马拉松", PRACTICE, 3, ON_SITE, "同一批素材，两小时各剪一条，比较讲评。"),
    Offered("SX07", "乡村人物采访", PRACTICE, 3, ON_SITE, "找一位手艺人或老支书，学会提问和倾听。"),
    Offered("SX08", "联合直播实战", PRACTICE, 3, ON_SITE, "全班一场两小时公益助农直播，真实开播。"),
    Offered("SX09", "结业作品创作辅导", PRACTICE, 3, ON_SITE, "一对一改稿，完成并发布结业作品。"),
    # 考察
    Offered("KC01", "县级电商公共服务中心参访", VISIT, 1.5, ON_SITE, "看选品区、打包线和共享直播间怎样运转。"),
    Offered("KC02", "农产品加工企业参访", VISIT, 1.5, ON_SITE, "从原料到成品，了解品控与检测。"),
    Offered("KC03", "优秀学员直播间观摩", VISIT, 2, ON_SITE, "现场看一场直播，开播前后各交流半小时。"),
    Offered("KC04", "产地仓与冷链物流参访", VISIT, 1.5, ON_SITE, "分级、预冷、打包、发运的全过程。"),
    Offered("KC05", "和美乡村与民宿集群参访", VISIT, 2, ON_SITE, "村庄怎样靠内容吸引游客，民宿主分享。"),
    Offered("KC06", "非遗工坊参访", VISIT, 1.5, ON_SITE, "手艺怎样变成内容和商品，传承人示范。"),
    Offered("KC07", "融媒体中心参访", VISIT, 2, ON_SITE, "看县融媒体中心的选题会和演播室，谈合作。"),
]
