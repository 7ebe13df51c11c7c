"""What stands on a page around its text and says nothing of it: mail headers, captions, references, calls to click.

Told by words of English, Chinese, German and French. What is taken for furniture by mistake costs a summary one
sentence; so a pattern is here only when what it finds is hardly ever what a text is about.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from qa.structure import Structure

Range = tuple[int, int]

_LOOKED_AT = 300
"""Characters of a sentence that are looked at."""
_OPENING = r"[\s\"'“‘「『（(\[*_>]*"
_MAIL = (
    r"(?:from|to|cc|bcc|date|sent|subject|reply-to|von|an|gesendet|datum|betreff|de|à|objet|envoyé"
    r"|发件人|收件人|抄送|主题|日期|发送时间|发自)[ \t]*[:：]",
    r"(?:on|am|le)\b.{5,120}\b(?:wrote|schrieb|a écrit)\b.{0,60}:", r"在.{3,80}写道[:：]",
    r"i hope (?:that )?(?:this|you|all|everything)\b.{0,60}\b(?:finds you|well)\b",
    r"(?:please )?(?:do not|don[’']t|feel free to|let me know if|if you have) (?:hesitate|.{0,40}questions?\b)",
    r"(?:(?:kind|best|warm)(?:est)? regards|yours (?:sincerely|faithfully|truly)|looking forward to hearing)\b",
    r"(?:many )?thank(?:s| you)(?: very much| so much| again)? for (?:your|the) (?:\w+ ){0,2}"
    r"(?:repl(?:y|ies)|e-?mails?|messages?|mails?|letters?|interest|time|patience|attention|numbers|feedback)\b",
    r"thanks? (?:you )?for reading", r"this (?:e-?mail|message) and any attachments?", r"if you are not the intended",
    r"mit freundlichen grüßen|vielen dank für ihre|您好[，,！!。]|此致|敬礼|祝好|顺祝",
)
_CAPTIONS = (
    r"(?:fig(?:ure)?|table|tab|photo(?:graph)?|image|picture|abb(?:ildung)?|tabelle|foto|tableau)s?\.?"
    r"(?:[ \t]*[A-Z]?\d+(?:\.\d+)*[a-z]?)?[ \t]*[:：.–|]",
    r"(?:photo|image|picture|source|credit|quelle|crédit)s?(?: credit)?[ \t]*[:：]",
    r"图为|资料图|图[ \t]*[一二三四五六七八九十\d]{0,3}(?:-\d+)?[ \t]*[:：]|表[ \t]*\d+(?:-\d+)?[ \t]*[:：]",
    r"(?:来源|作者|编辑|责任编辑|责编|记者|摄影|原标题|字号|编者按)[ \t]*[:：]",
)
_WAYS_ON = (
    r"(?:main articles?|further information|read more|read also|more on this(?: story)?|siehe auch|voir aussi"
    r"|related(?: articles?| stories| topics| reading| links)?)[ \t]*[:：]",
    r"(?:see also|for other uses|for (?:more|further) (?:information|details))\b.{0,120}$",
    r".{0,80}\bredirects here\b", r"(?:jump|skip) to (?:the )?(?:main )?(?:content|navigation|search)",
    r"from wikipedia, the free", r"wiki(?:media commons|species|quote|source|voyage|data) has\b",
    r"相关(?:阅读|链接|报道|新闻|推荐)|延伸阅读|推荐阅读|更多(?:精彩|资讯|新闻)|上一篇|下一篇|阅读原文|返回(?:首页|顶部)",
)
_CALLS = (
    r"click (?:here|on the link)|subscribe (?:to|now|today)|sign up (?:for|to|now)|follow us\b|join our\b"
    r"|share (?:this|on)\b|leave a comment|download (?:our|the) app\b|already have an account|add to cart",
    r"was this (?:page|article|answer|helpful)|did you find this|last (?:updated|modified|edited|reviewed)\b"
    r"|this page was last|(?:reading time|published|posted)[ \t]*[:：]|retrieved (?:on )?(?:\d|\w+ \d)|archived from",
    r"(?:we use|this (?:web)?site uses|accept(?: all)?|manage) cookies"
    r"|by (?:using|continuing|clicking)\b.{0,60}\bagree\b",
    r"(?:text|content) is available under|additional terms may apply|view source|edit this page",
    r"扫(?:一扫|码|描)|点击(?:这里|此处|查看|阅读|进入|下载|关注)|欢迎(?:关注|订阅|转发|留言)|关注(?:我们|微信|公众号)"
    r"|分享(?:到|至)|长按.{0,10}二维码|版权(?:声明|所有|归)|未经(?:授权|许可|允许)|本文(?:来源|转载|系转载)|转载请",
)
_RIGHTS = r".{0,80}(?:©|\(c\) (?:19|20)\d\d|\ball rights reserved\b|alle rechte vorbehalten|tous droits réservés)"
_NOT_OF_THE_TEXT = re.compile(
    f"{_OPENING}(?:{'|'.join((*_MAIL, *_CAPTIONS, *_WAYS_ON, *_CALLS, _RIGHTS))})", re.IGNORECASE)
_REFERENCE = re.compile(
    r"\W{0,3}\^|\[\d{1,3}\][ \t]+\W?[^\W\d_]|[^\n]*(?:\bdoi:|\bdoi\.org/|\bISBN[ \d]|\bISSN[ \d]|\bPMID|\barXiv:\d)")
_LINKS = re.compile(r"[^\w\[!]*+(?:(?:!?\[[^\]\n]*+\]\([^)\n]*+\)|(?:https?://|www\.)\S++)[^\w\[!]*+)++")
"""Each part takes all that it can and gives nothing back: what might be read in several ways is never tried again."""
_PART = r"[^.!?。！？\n>›»→·•|]{1,60}"
_TRAIL = re.compile(rf"{_PART}(?:[>›»→]{_PART})+|{_PART}(?:[·•|]{_PART}){{2,}}")
"""Where a page stands in its site; or a line of names and addresses."""

_CLOSING = re.compile(
    r"[ \t#*_=]*(?:\d{1,2}(?:\.\d{1,2})*\.?[ \t]+)?"
    r"(?:references|bibliography|works cited|sources|external links|further reading|see also"
    r"|related (?:articles|stories|posts|topics|reading|links)|(?:table of )?contents"
    r"|einzelnachweise|literatur(?:verzeichnis)?|weblinks|siehe auch|inhalt(?:sverzeichnis)?"
    r"|références|liens externes|参考文献|参考资料|外部链接|延伸阅读|相关(?:阅读|链接|新闻|报道)|参见|目录)"
    r"(?:[ \t]*\[[^\]\n]{1,10}\])?[ \t*_=]*[:：]?[ \t]*|--[ \t]?",
    re.IGNORECASE)
"""A line that nothing of the text follows: a list of references, of links, a table of contents; or a signature."""
_CITES = re.compile(
    r"\W{0,3}\^|\s*\[?\d{1,3}[\].][ \t]|[^\n]{0,250}(?:\([^()\n]{0,20}\b(?:19|20)\d\d[a-z]?\)"
    r"|[,.] ?(?:19|20)\d\d[a-z]?\.|\bdoi\b|\bISBN\b|https?://)",
    re.IGNORECASE)
_STOP = re.compile(r"[.!?。！？][\"'”’」』）)\]]*(?:\[\d{1,3}\])*\s*$")
_PROSE_CHARACTERS = 100
_PROSE_CJK = 40
_CJK = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


class Furniture:
    """Of one text: whether a sentence of it is furniture. Linear in the text's length."""

    def __init__(self, text: str, structure: Structure) -> None:
        self._text = text
        self._closing = _closing_parts(text, structure)
        self._starts = [start for start, _end in self._closing]

    def holds(self, start: int, end: int) -> bool:
        place = bisect_right(self._starts, start) - 1
        if place >= 0 and start < self._closing[place][1]:
            return True
        sentence = self._text[start : min(end, start + _LOOKED_AT)]
        return (_NOT_OF_THE_TEXT.match(sentence) or _REFERENCE.match(sentence) or _LINKS.fullmatch(sentence)
                or _TRAIL.fullmatch(sentence)) is not None


def _closing_parts(text: str, structure: Structure) -> list[Range]:
    """From each line that is one of _CLOSING to the next heading of another kind, quoted mail, or prose."""
    headings = {heading.start for heading in structure.headings}
    found: list[Range] = []
    begins = None
    at = 0
    for line in text.splitlines(keepends=True):
        if len(line) <= 60 and _CLOSING.fullmatch(line.rstrip("\r\n")):
            begins = at if begins is None else begins
        elif begins is not None and (at in headings or line.startswith(">") or _is_prose(line)):
            found.append((begins, at))
            begins = None
        at += len(line)
    return [*found, (begins, at)] if begins is not None else found


def _is_prose(line: str) -> bool:
    is_long = len(line) >= _PROSE_CHARACTERS or len(_CJK.findall(line, 0, 2 * _PROSE_CJK)) >= _PROSE_CJK
    return is_long and _STOP.search(line[-20:]) is not None and not _CITES.match(line[:1000])
