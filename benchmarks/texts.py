"""Captions to measure with: made-up terms, ordinary English, thirty languages, and evasive spellings."""

import random
from collections.abc import Callable
from itertools import product

_SOME_WORDS = """the of in on with red blue old new photo picture mountain lake river house garden table chair wooden
street city night morning light vintage poster print black white green background isolated hand drawn vector
illustration close up view from above summer winter snow beach sea sky cloud tree flower cat dog bird bicycle car train
window door kitchen and for by at bright quiet narrow long path field stone wall bridge harbour boat market square"""
_WORDS = _SOME_WORDS.split()
_ENDS = ("", "", "", ".", ".", ", 2019", " - Stock Photo", " (12)", " 4k", " 1920x1080", " | Example Gallery", "!")
# One sentence in each language, by the author of this file; "xx" is for captions that are of no language.
SENTENCES = """en|a red bicycle leaning against a brick wall
en|mountain lake at sunset with pine trees
en|wooden kitchen table with four chairs
en|blue ceramic vase on a window sill
de|ein rotes Fahrrad lehnt an einer Mauer
de|Bergsee bei Sonnenuntergang mit Kiefern
de|Küchentisch aus Holz mit vier Stühlen
fr|un vélo rouge appuyé contre un mur de briques
fr|lac de montagne au coucher du soleil
fr|table de cuisine en bois avec quatre chaises
es|una bicicleta roja apoyada en la pared
es|lago de montaña al atardecer con pinos
es|mesa de cocina de madera con cuatro sillas
pt|uma bicicleta vermelha encostada na parede
pt|lago na montanha ao pôr do sol
pt|mesa de cozinha de madeira com quatro cadeiras
it|una bicicletta rossa appoggiata al muro
it|lago di montagna al tramonto con pini
it|tavolo da cucina in legno con quattro sedie
nl|een rode fiets tegen een bakstenen muur
nl|bergmeer bij zonsondergang met dennenbomen
pl|czerwony rower oparty o ceglany mur
pl|górskie jezioro o zachodzie słońca
cs|červené kolo opřené o cihlovou zeď
cs|horské jezero při západu slunce
sv|en röd cykel lutad mot en tegelvägg
sv|en fjällsjö i solnedgång med tallar
da|en rød cykel læner sig op ad en mur
fi|punainen polkupyörä nojaa vanhaan tiiliseinään kadulla
tr|tuğla duvara yaslanmış kırmızı bisiklet
tr|gün batımında çam ağaçlı dağ gölü
ro|o bicicletă roșie sprijinită de un zid
hu|piros kerékpár a téglafalnak támasztva az utcán
id|sepeda merah bersandar di dinding bata
id|danau pegunungan saat matahari terbenam
vi|chiếc xe đạp màu đỏ dựa vào bức tường
ru|красный велосипед у кирпичной стены
ru|горное озеро на закате и сосны
uk|червоний велосипед біля цегляної стіни
uk|гірське озеро на заході сонця
bg|червено колело, подпряно на тухлена стена
el|κόκκινο ποδήλατο σε τοίχο από τούβλα
el|λίμνη στο βουνό το ηλιοβασίλεμα
ja|レンガの壁に立てかけた赤い自転車
ja|夕焼けの山の湖
zh|靠在砖墙上的红色自行车
zh|日落时分的高山湖泊
ko|벽돌 벽에 기대어 있는 빨간 자전거
ko|해질녘의 산속 호수
ar|دراجة حمراء متكئة على جدار من الطوب
ar|بحيرة جبلية عند غروب الشمس
fa|دوچرخه قرمز تکیه داده به دیوار آجری
he|אופניים אדומים נשענים על קיר לבנים
hi|ईंट की दीवार के सहारे खड़ी लाल साइकिल
hi|सूर्यास्त के समय पहाड़ी झील
bn|ইটের দেয়ালে হেলান দেওয়া লাল সাইকেল
th|จักรยานสีแดงพิงกำแพงอิฐ
th|ทะเลสาบบนภูเขายามพระอาทิตย์ตก
ta|செங்கல் சுவரில் சாய்ந்த சிவப்பு மிதிவண்டி
sw|baiskeli nyekundu imeegemea ukuta wa matofali
sw|ziwa la mlimani wakati wa machweo ya jua
hr|crveni bicikl naslonjen na zid od cigle
ka|წითელი ველოსიპედი აგურის კედელთან
am|በጡብ ግድግዳ ላይ የተደገፈ ቀይ ብስክሌት
xx|IMG_2043
xx|vintage blue denim jeans W32 L34
xx|Phone Ultra 5G Phantom Black 128GB
xx|Touring M Sport Alpine White
xx|Silver 925 Ring Zirconia Size 7
xx|24-120mm f/4 lens
xx|Barcelona Sagrada Familia interior
xx|Tokyo skyline night
xx|Pizza Margherita
xx|Tiramisu al caffe
xx|Croissant and cappuccino
xx|Sushi roll salmon avocado
xx|Rio de Janeiro beach Copacabana
xx|Kuala Lumpur Petronas Towers
xx|Taj Mahal Agra
xx|Chateau de Versailles gardens
xx|Mont Saint Michel Normandy
xx|Mandala tattoo design
xx|Chihuahua puppy
xx|Bonsai tree juniper
xx|Origami crane paper
xx|Kimono silk floral
xx|Baobab Madagascar
xx|Machu Picchu Peru
xx|Villa Rosa, Toscana
xx|Monstera deliciosa leaf
xx|Quercus robur
xx|Acer palmatum Dissectum
xx|Pinus sylvestris Watereri
xx|Espresso beans 1kg
xx|Hotel Bellevue Interlaken
xx|Lorem ipsum
xx|logo
xx|DSC01234.jpg"""
_EVASIONS: tuple[Callable[[str], str], ...] = (
    lambda word: word.replace("a", "4").replace("o", "0").replace("e", "3"),
    lambda word: word.translate(str.maketrans("aeopcx", "аеорсх")),
    " ".join,
    ".".join,
    "\u200b".join,
    lambda word: "".join(letter + "\u0336" for letter in word),
    lambda word: "".join(chr(ord(letter) + 0xFEE0) for letter in word),
    lambda word: f"\u202e{word[::-1]}\u202c",
    lambda word: "".join(f"&#{ord(letter)};" for letter in word),
    lambda word: "".join(f"%{ord(letter):02x}" for letter in word),
)


def made_up_terms(count: int, seed: int = 1) -> list[str]:
    """Return this many different terms of one or two words that are in no language."""
    chance = random.Random(seed)
    syllables = ["".join(pair) for pair in product("bcdfghklmnprstvz", "aeiou")]
    terms: dict[str, None] = {}
    while len(terms) < count:
        words = ["".join(chance.choices(syllables, k=chance.randint(3, 4))) for _ in range(chance.randint(1, 2))]
        terms[" ".join(words)] = None
    return list(terms)


def english(count: int, seed: int = 2) -> list[str]:
    """Return sentences of 12 to 20 ordinary words, about 100 characters."""
    chance = random.Random(seed)
    return [" ".join(chance.choices(_WORDS, k=chance.randint(12, 20))).capitalize() + "." for _ in range(count)]


def web(count: int, seed: int = 5) -> list[str]:
    """Return the same with the endings that captions of web pages have: years, sizes, names of sites."""
    chance = random.Random(seed)
    return [caption.removesuffix(".") + chance.choice(_ENDS) for caption in english(count, seed)]


def mixed(count: int, seed: int = 3) -> list[str]:
    """Return captions of two sentences each, of all the languages in equal shares."""
    chance = random.Random(seed)
    told = [line.partition("|")[2] for line in SENTENCES.splitlines() if not line.startswith("xx")]
    return [f"{sentence}, {sentence}" for sentence in chance.choices(told, k=count)]


def evasive(count: int, seed: int = 4) -> list[str]:
    """Return English captions with two words of each in one of ten evasive spellings."""
    chance = random.Random(seed)
    captions = [caption.split() for caption in english(count, seed)]
    for words in captions:
        for place in chance.sample(range(len(words)), 2):
            words[place] = chance.choice(_EVASIONS)(words[place].lower())
    return [" ".join(words) for words in captions]
