"""How questions ask for the relations of a knowledge graph: a small lexicon, English and Chinese.

The predicates are named as DBpedia's ontology names them, by the last part of their addresses. Relations that are not
here are found by their own names (`qa/graph_relations.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["agent", "date", "place", "number", "any"]
PLACES = r"city|cities|town|country|countries|state|place|region|province|continent|county|village|island"


@dataclass(frozen=True)
class Relation:
    """What the lexicon knows of a relation: the local names of its predicates, how it is asked for, what it gives."""

    predicates: frozenset[str]
    english: re.Pattern[str]
    chinese: re.Pattern[str]
    gives: Kind
    only_where: bool = False
    """Asked for by "where" and "in which place" only: its cues stand in other questions as well."""


def _relation(
    predicates: str, gives: Kind, english: str, chinese: str = "(?!)", *, only_where: bool = False
) -> Relation:
    return Relation(
        frozenset(predicates.lower().split()), re.compile(rf"(?i)\b(?:{english})\b"), re.compile(chinese), gives,
        only_where,
    )


RELATIONS = (
    _relation("author writer writtenBy creator", "agent",
              "wr(?:ote|itten by|itten|ites?|iter)|authors?|authored|create[ds]?|creators?|made",
              "作者|写|著|创作|创建者"),
    _relation("birthDate birthYear dateOfBirth", "date", "born|birth(?:day| date)?", "出生|生日|诞生|生于"),
    _relation("birthPlace placeOfBirth", "place", "born|birth(?: ?place)?|come from", "出生|出生地|生于|诞生"),
    _relation("deathDate deathYear dateOfDeath", "date",
              "die[ds]?|death|pass(?:ed)? away", "去世|逝世|死|卒"),
    _relation("deathPlace placeOfDeath", "place", "die[ds]?|death|pass(?:ed)? away", "去世|逝世|死|卒"),
    _relation("populationTotal population populationUrban populationMetro", "number",
              "population|inhabitants|residents|people (?:are there|live|lived|living)|live",
              "(?:多少)?人口|居民|(?:住着?)?多少人"),
    _relation("capital", "place", "capital(?: city)?", "首都|首府|省会"),
    _relation("largestCity", "place", "(?:largest|biggest) (?:city|town)", "最大的?城市"),
    _relation("country", "place", "countr(?:y|ies)|where|nation", "国家|哪国|在哪", only_where=True),
    _relation("location city locatedInArea isPartOf state province region headquarter headquarters town", "place",
              f"located|situated|where|lies?|found|stands?|(?:which|what) (?:{PLACES})",
              "位于|坐落|在哪|哪座城市|哪里", only_where=True),
    _relation("headquarter headquarters", "place", "headquarter(?:s|ed)|based|main office", "总部"),
    _relation("foundedBy founder founders", "agent",
              "found(?:ed|er|ers)|start(?:ed)?|establish(?:ed)?|set up|creat(?:ed|or)",
              "创立|创办|创建|创始人|建立|创立者"),
    _relation("foundingDate foundingYear formationDate formationYear established foundation", "date",
              "founded|formed|established|created|started|set up|founding|begin|began",
              "成立|创立|建立|创办|创刊|创建"),
    _relation("openingDate openingYear opened", "date", "open(?:ed|s)?|opening", "开放|开通|通车|开馆|落成|启用"),
    _relation("completionDate buildingEndDate yearOfConstruction built", "date",
              "built|completed|constructed|finished|construction", "建成|建造|完工|竣工|修建"),
    _relation("releaseDate firstReleaseDate latestReleaseDate", "date",
              "released?|come out|came out|publish(?:ed)?|launched?", "发布|发行|推出|面世|上市"),
    _relation("publicationDate publicationYear firstPublicationDate", "date",
              "published|publication|come out|came out|appear(?:ed)?", "出版|发表|问世"),
    _relation("publisher", "agent", "publishe[rds]+", "出版社|出版商|出版"),
    _relation("developer developedBy", "agent",
              "develop(?:s|ed|er|ers)?|ma(?:de|kes?)|built|behind", "开发|研发|开发商|制造"),
    _relation("designer", "agent", "design(?:s|ed|er|ers)?|invent(?:ed|or)|creat(?:ed|or)", "设计|发明"),
    _relation("architect", "agent", "architects?|design(?:ed|er)?|buil[td]", "建筑师|设计"),
    _relation("programmingLanguage", "any",
              "(?:programming )?languages?|written in|programmed|implemented", "编程语言|语言|编写|写成"),
    _relation("license licence", "any", "licen[cs]e[ds]?", "许可证|许可|授权"),
    _relation("officialLanguage language spokenIn", "any", "languages?|speak|spoken", "语言|官方语言"),
    _relation("currency", "any", "currency|money", "货币"),
    _relation("director", "agent", "direct(?:ed|or|ors)", "导演|执导"),
    _relation("starring", "agent", "stars?|starred|starring|play(?:s|ed)?|act(?:s|ed)?", "主演|出演"),
    _relation("height", "number", "tall|high|height", "多高|高度|高多少"),
    _relation("elevation", "number", "tall|high|height|elevation|altitude", "多高|海拔|高度"),
    _relation("length", "number", "long|length", "多长|长度|全长"),
    _relation("width", "number", "wide|width", "多宽|宽度"),
    _relation("depth maximumDepth", "number", "deep|depth", "多深|深度"),
    _relation("areaTotal area", "number", "area|big|large", "面积|多大"),
    _relation("mass weight", "number", "heavy|weighs?|weight|mass", "多重|重量|质量"),
    _relation("spouse", "agent", "married|marry|wife|husband|spouse", "结婚|妻子|丈夫|配偶|娶|嫁"),
    _relation("child children", "agent", "child(?:ren)?|sons?|daughters?", "孩子|子女|儿子|女儿"),
    _relation("parent parents father mother", "agent", "parents?|father|mother", "父母|父亲|母亲"),
    _relation("almaMater education", "any",
              "stud(?:y|ied)|graduated?|universit(?:y|ies)|attend(?:ed)?|alma mater", "毕业|就读|母校"),
    _relation("award", "any", "awards?|prizes?|won|win", "奖|获奖"),
    _relation("occupation profession", "any", "occupation|profession|job|for a living", "职业"),
    _relation("nationality citizenship", "any", "nationality|citizenship|citizen", "国籍|哪国人"),
    _relation("party", "any", "(?:political )?party|belong(?:ed)? to|member of", "政党|党派|哪个党"),
    _relation("owner owningCompany parentCompany", "agent",
              "own(?:s|ed|er|ers)?|belongs? to", "拥有|所有者|老板|属于"),
    _relation("leader leaderName mayor president governor chairman chancellor", "agent",
              "leads?|leader|led|head", "领导|领导人|首领"),
    _relation("commander", "agent", "command(?:s|ed|er|ers)?|led|leader", "指挥|司令|领导"),
    _relation("highestPlace highestMountain highest", "any",
              "highest(?: (?:mountain|peak|point|summit|place))?|tallest", "最高峰|最高的?山|最高点"),
    _relation("sourceCountry source", "place", "source|rise|begin", "源头|发源"),
    _relation("discoverer", "agent", "discover(?:ed|er|ers)", "发现"),
    _relation("inventor", "agent", "invent(?:s|ed|or|ors)", "发明"),
    _relation("successor", "agent", "succeeded|successor|after", "继任"),
    _relation("predecessor", "agent", "preceded|predecessor|before", "前任"),
    _relation("numberOfEmployees", "number", "employees|employ|work for|workers", "员工|雇员"),
    _relation("numberOfStudents", "number", "students|enrolled", "学生"),
    _relation("family genus order class", "any", "family|belongs? to|genus", "科|属"),
)
