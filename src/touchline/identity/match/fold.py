"""Text as people type it → one form of it: full width, case, accents, traditional characters.

What surprises: the table of traditional characters holds those of surnames, given names and
addresses, and no others. Names are compared by sound as well, which is the same for both scripts.
"""

import re
import unicodedata

__all__ = ["HAN", "NOTHING", "folded", "is_han"]

HAN = "\u3400-\u9fff\uf900-\ufaff"
_NOTHING_WORDS = (
    "无 暂无 没有 未知 匿名 空 测试 其他 不详 null none nan unknown anonymous test n/a na -"
)
NOTHING = frozenset(("", *_NOTHING_WORDS.split()))  # what is typed where nothing is known
LONGEST = 200  # of a value that is compared: whoever typed more did not type a name
_HAN = re.compile(f"[{HAN}]")
_TRADITIONAL = (
    "張陳劉黃楊趙吳孫馬羅謝韓馮鄧許蕭葉呂蘇盧蔣賈閻餘鍾譚陸範廖鄒賀龔湯錢嚴萬顧龍賴喬齊莊聶樊魯"
    "歐單華畢鄭梁齡傑偉強軍麗紅濤勇芳蘭鳳蓮瑩穎嬌娟慶賢輝榮發興國業學東風飛鵬潔雲霞靜愛寶貴連慧"
    "艷玉瓊瑋瑤環珮瑾蔭嵐滿誠諾謙詩語論譯誼講讓義藝藍蘊衛術補裝複見觀規覺親質資贏車軒輕達遠運進"
    "遙郵鄉醫釋鐵銀銘鋒錦鑫鑽長門間閣閩閔關陽際隊階陰隱離難電靈頂順預領頤題顏願類飄飯館駿騰驗體"
    "魚鮮鳥鴻鶴鷹麥麼點黨齒廈廣廳縣區號樓棟單層臺灣灘灣島嶺嶼嶽橋樹機權歡歲歸殿漢濟淺測湖滬濱瀋"
    "爾獅獎瑪環璽異當療監盤眾碼磚礎禮禪穩窩竇節築簡粵糧紀約純紗紙級細紹終組結絲經綠維綱網綺緒線"
    "緣縱總績織繪繼續罷聖聞聯聲職聽肅脈腳腦膠臨舉舊艙莖蒼薈薩處虛蟲蠟補製話該詳認調請諸謀謨證識"
    "變豐貝財貨貿費賓賞賽購軟載較輔輪轉辦農遲適選遼鄰鋼錄鎮鏡鐘鑒開陝陳隨險雙雜雞霧韻響頁頭飾養"
    "驛騎驚鬥鬧魯鯉鳴齋龜壩壘壯壽夢夾奪奮婦媽嬰孿寧審寫寬將專尋對導屆屬崗峽師帶幣幫庫應廟廢張彎"
    "彥徑從復徵德恆悅惠愷慮憂戀戲戶擁擇擊據攝數斷時晉晝暉曆曉書會條來楓榆樂標樞橫檔歷殺氣決況涼"
    "淵渦溝溫滅滬漁澤潤濃濕瀾烏無煙熱燈燦燕爐牆狀獨獲現璣畫疊瘋發皇盡盧確種積稱穀穎窮競筆籌籃"
    "別彌園場圍圖團廠凱倫儀僑儉剛勁勝勳協圓塊墊壇娛岡"
)
_SIMPLIFIED = (
    "张陈刘黄杨赵吴孙马罗谢韩冯邓许萧叶吕苏卢蒋贾阎余钟谭陆范廖邹贺龚汤钱严万顾龙赖乔齐庄聂樊鲁"
    "欧单华毕郑梁龄杰伟强军丽红涛勇芳兰凤莲莹颖娇娟庆贤辉荣发兴国业学东风飞鹏洁云霞静爱宝贵连慧"
    "艳玉琼玮瑶环佩瑾荫岚满诚诺谦诗语论译谊讲让义艺蓝蕴卫术补装复见观规觉亲质资赢车轩轻达远运进"
    "遥邮乡医释铁银铭锋锦鑫钻长门间阁闽闵关阳际队阶阴隐离难电灵顶顺预领颐题颜愿类飘饭馆骏腾验体"
    "鱼鲜鸟鸿鹤鹰麦么点党齿厦广厅县区号楼栋单层台湾滩湾岛岭屿岳桥树机权欢岁归殿汉济浅测湖沪滨沈"
    "尔狮奖玛环玺异当疗监盘众码砖础礼禅稳窝窦节筑简粤粮纪约纯纱纸级细绍终组结丝经绿维纲网绮绪线"
    "缘纵总绩织绘继续罢圣闻联声职听肃脉脚脑胶临举旧舱茎苍荟萨处虚虫蜡补制话该详认调请诸谋谟证识"
    "变丰贝财货贸费宾赏赛购软载较辅轮转办农迟适选辽邻钢录镇镜钟鉴开陕陈随险双杂鸡雾韵响页头饰养"
    "驿骑惊斗闹鲁鲤鸣斋龟坝垒壮寿梦夹夺奋妇妈婴孪宁审写宽将专寻对导届属岗峡师带币帮库应庙废张弯"
    "彦径从复征德恒悦惠恺虑忧恋戏户拥择击据摄数断时晋昼晖历晓书会条来枫榆乐标枢横档历杀气决况凉"
    "渊涡沟温灭沪渔泽润浓湿澜乌无烟热灯灿燕炉墙状独获现玑画叠疯发皇尽卢确种积称谷颖穷竞笔筹篮"
    "别弥园场围图团厂凯伦仪侨俭刚劲胜勋协圆块垫坛娱冈"
)
_SIMPLE = str.maketrans(_TRADITIONAL, _SIMPLIFIED)


def folded(text: str) -> str:
    """Lower case, half width, simplified, without accents and marks around letters."""
    plain = unicodedata.normalize("NFKC", text[:LONGEST]).translate(_SIMPLE).casefold()
    if not plain.isascii():
        apart = unicodedata.normalize("NFD", plain)
        plain = "".join(c for c in apart if not unicodedata.combining(c))
        plain = unicodedata.normalize("NFC", plain)
    return " ".join(plain.split())


def is_han(text: str) -> bool:
    return _HAN.search(text) is not None
