"""An address of e-mail → the company domain it is of, and whether that says anything.

`ann@mail.acme.com.cn` is of `acme.com.cn`. State keeps a hash of it beside the address: nobody can
read it, and equal ones are equal. What surprises: domains of providers are kept as well, and left
out when they are asked for. So the list of providers can change, and holds for the past.
"""

from collections.abc import Mapping
from typing import Any

from touchline.collect.url import registrable
from touchline.model import Identifier
from touchline.storage.vault import Vault

__all__ = ["FREE", "company_domain", "domain_id", "domain_rows"]

# Whoever asks gets a mailbox there, or got one with a telephone line: it says nothing of a company.
_PROVIDERS = """
qq.com foxmail.com 163.com 126.com 188.com yeah.net 163.net 263.net 21cn.com 139.com 189.cn wo.cn
wo.com.cn sina.com sina.cn sina.com.cn sohu.com tom.com aliyun.com 2980.com eyou.com citiz.net
chinaren.com sogou.com netease.com 88.com china.com
gmail.com googlemail.com outlook.com hotmail.com live.com live.cn msn.com msn.cn windowslive.com
passport.com yahoo.com yahoo.cn ymail.com rocketmail.com aol.com aim.com icloud.com me.com mac.com
proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tuta.io tuta.com fastmail.com
fastmail.fm hushmail.com zoho.com zohomail.com mail.com email.com usa.com gmx.com gmx.net gmx.de
gmx.at gmx.ch web.de t-online.de freenet.de arcor.de mail.de posteo.de mailbox.org 1und1.de
orange.fr wanadoo.fr free.fr sfr.fr laposte.net neuf.fr bbox.fr libero.it virgilio.it alice.it
tin.it tiscali.it terra.es telefonica.net ono.com sapo.pt btinternet.com sky.com virginmedia.com
ntlworld.com talktalk.net o2.pl wp.pl onet.pl interia.pl seznam.cz centrum.cz mail.ru bk.ru list.ru
inbox.ru rambler.ru yandex.ru yandex.com ya.ru ukr.net naver.com daum.net hanmail.net nate.com
kakao.com docomo.ne.jp ezweb.ne.jp softbank.jp nifty.com biglobe.ne.jp ocn.ne.jp
pchome.com.tw hinet.net seed.net.tw netvigator.com rediffmail.com sify.com indiatimes.com
singnet.com.sg starhub.net.sg streamyx.com bigpond.com bigpond.net.au optusnet.com.au iinet.net.au
xtra.co.nz comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net
earthlink.net juno.com optonline.net roadrunner.com windstream.net frontier.com rogers.com shaw.ca
sympatico.ca telus.net bell.net uol.com.br bol.com.br terra.com.br ig.com.br globo.com
mailinator.com guerrillamail.com yopmail.com 10minutemail.com trashmail.com tempmail.com
temp-mail.org sharklasers.com maildrop.cc getnada.com dispostable.com discard.email
"""
_COUNTRIES = """
com com.cn com.hk com.tw com.sg com.my com.au com.br com.ar com.mx com.vn com.ph com.tr co.uk
co.jp co.kr co.in co.id co.th co.nz co.za fr de it es nl be ca dk se no at ch ie in jp gr cz hu pl
ro ru cl
"""
# A brand of these has a domain a country.
_EVERYWHERE = ("yahoo", "hotmail", "outlook", "live", "msn", "googlemail")
# Nobody can own these.
_RESERVED = "example.com example.org example.net test.com localhost.localdomain"
FREE = frozenset(
    [
        *(_PROVIDERS + _RESERVED).split(),
        *(f"{brand}.{country}" for brand in _EVERYWHERE for country in _COUNTRIES.split()),
    ]
)


def company_domain(email: str) -> str:
    """The domain that somebody registered, of an address in its normal form."""
    return registrable(email.rpartition("@")[2])


def domain_id(vault: Vault, domain: str) -> bytes:
    """What stands for a domain in State. `vault`: the pepper of the workspace."""
    return vault.node_id("domain", domain)


def domain_rows(vault: Vault, known: Mapping[bytes, Identifier]) -> list[dict[str, Any]]:
    """Rows of `mail_domain` of those of these that are addresses."""
    return [
        {"node_id": node, "domain_id": domain_id(vault, company_domain(one.value))}
        for node, one in known.items()
        if one.type == "email"
    ]
