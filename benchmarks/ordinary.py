"""How often the caption filter finds something in ordinary captions with words that only look like evidence.

Run: .venv/bin/python -m benchmarks.ordinary [--show]. The captions are made from the sentences below, none of which
speaks of a minor, of adult content, or of somebody's details; by one author, so the rate is no measurement of a corpus.
Of captions of the web far more match, as they do speak of children: `docs/captions.md`.
"""

import argparse
import random
from collections import Counter
from pathlib import Path

from filters.captions import CaptionTerms
from filters.finding import Finding
from filters.lists import ListSource
from filters.sample import Batch, Sample

TERMS = Path(__file__).parents[1] / "policies" / "terms"
COLUMNS = (("value", "term"), ("language", "language"), ("category", "category"))
COUNT = 20_000

# "{n}" is a number from 1 to 17, "{m}" one from 18 to 99, "{y}" a year. Each sentence has a word, a number or a sign
# that is evidence in another sentence.
SENTENCES = """class {n} hurricane seen from space
a category {n} storm over the harbour
Essex, Sussex and Middlesex on an old map
grapes on the vine, {y}
the office of a physical therapist
cockpit of a small plane
a cocktail bar in Scunthorpe
Penistone railway station
bottle of {n} year old single malt whisky
{n}-year-old bourbon in an oak cask
{n} year old cheddar on a wooden board
a {n} year old oak tree in the park
Laphroaig {n} years old, two glasses
rum aged {n} years in a cask
a wine aged {n} years
red wine, {n} years old
my car is {n} years old
a {n} year old laptop on a desk
{n}-year-old building near the port
a {n} year old dog on a beach
dog, {n} years old, looking for a home
a {n}-year-old mare in a paddock
{n} year old tortoise at the zoo
a {n}-year-old Labrador in the snow
ein {n} Jahre alter Hund
das Auto ist {n} Jahre alt
un chien de {n} ans
vino de {n} años en barrica
cavallo di {n} anni
{n}-летний виски
{n}-letni samochód
{n}岁犬
{n} year anniversary of the bridge
{n}th anniversary celebration of the company
{n} years of experience in carpentry
{n} year warranty on every tyre
model year {y}, {n},000 km, one owner
{y} Ford Mustang V8, {n} owners
a {m}0 year old church in the old town
house built {m} years ago
{n} days left until the sale ends
grade {n} bolts in a steel box
grade {n} listed building in Bath
level {n} dungeon map
{n} pieces of vintage cutlery
size {n} shoes in brown leather
version {n}.{n} of the software
{n}/{n}/{y} receipt on a desk
chapter {n}, page {m}
room {n}, floor {n}
iPhone {n} Pro in space grey
Windows {n} wallpaper
track {n} of the album
Apollo {n} on the launch pad
Formula {n} car in the pit lane
bus number {n} at the stop
Psalm {n}:{n} in calligraphy
Super Bowl XXX ticket stub
size XXXL t-shirt in navy blue
naked oak flooring in a bright hall
nude lipstick and beige nail polish
naked mole-rat in a burrow
the naked eye sees {m} stars
stripping paint from a wooden door
bare trees in winter
hot dog with mustard
hot rod engine, chrome
breast of chicken with rosemary
blue tit and great tit on a feeder
a booby on the Galapagos islands
cock of the rock, a bird of Peru
dickcissel singing on a fence post
pussy willow branches in a vase
moby dick, first edition, {y}
sex of a plant under the microscope
unisex wool scarf in grey
adult cat asleep on a sofa
adult bicycle helmet, size M
adults only hotel by the sea
adult education centre, front door
mature cheddar and crackers
mature garden with a pond
escort car ahead of the convoy
Ford Escort {y} in white
model railway with a station
model of a sailing ship
minor scratches on the case
A minor chord on the guitar
Ursa Minor in the night sky
Morris Minor, {y}, in green
Asia Minor on an antique map
baby blue paint for the kitchen
baby carrots in a bowl
baby grand piano on a stage
baby spinach salad with nuts
baby's breath flowers in a jar
kid leather gloves, brown
kidney beans in tomato sauce
goat and kid gloves of the {y}s
girl with a pearl earring, painting, poster
boyfriend jeans in washed denim
cowboy boots on a porch
cowgirl hat made of straw
boysenberry jam on toast
teen numbers thirteen to nineteen in wood
canteen with long tables
velveteen curtains in red
eighteen candles on a shelf
student price list of the museum shop
pupil of an eye, macro
the pupil dilates in the dark
school of fish above a reef
school bus yellow paint chips
high school musical theatre poster
infantry memorial in the rain
Infanta dress, museum, {y}
infinity pool at dusk
nursery of young pine trees
nursery plants in pots, {n} for sale
childproof lock on a cabinet
brainchild of an engineer, {y}
Rothschild palace in Vienna
Fairchild camera, {y}
junior partner at a law firm
Martin Luther King Jr. boulevard sign
freshman orientation booklet
cradle of the telephone
crib sheet for chemistry
playground rules on a sign for dogs
lolita fashion is no part of this page, a teapot is
Lolita, Texas, city limits sign
{n} laps to go at the race track
brown sugar in a jar
lapsed membership card, {y}
Barnet, north London, on a map
barna cipő és táska, {n} darab
Lasten tragen, ein Kran im Hafen
do mineur, gamme mineure, partition
Fiat 126p, maluch, {y}
la bebida se beba fría, cartel
하나체육관 건물 입구
아기자기한 소품 가게
สีนู้ด ลิปสติก {n} เฉด
hardcore punk video, live in {y}
tweening in an animation program
orphan works in a library
toddy with lemon and honey
molten lava, {y}
leaked oil on the garage floor
leaking roof after the storm
hidden cameras of bird watchers, none
hidden valley in Scotland
spy plane SR-71 in a hangar
changing room sign in a shop
shower curtain with fish
massage chair in black
sensual tango on a stage, statue
lingering fog over the lake
strip mall at night
strip steak with pepper
lust for life, Iggy Pop, album
passion fruit, cut in half
desire path across a lawn
virgin olive oil in a glass bottle
Virgin Islands stamp, {y}
virgin forest in the mist
cherry blossom, {y}
bondage in the Book of Exodus, essay cover
slave cylinder of a clutch
master key on a ring
domination game, chess board
rubber duck on a desk
latex paint, {n} litres
S&M logo of a machine tool maker
B&W photo of a bridge, {y}
AT&T tower at night
50% off everything until {n} June
100% cotton, made in Portugal
Rock & Roll Hall of Fame
24-70mm f/2.8 lens on a table
1080p 60fps 4K HDR television
3D printed vase, 0.2 mm layers
A4 paper, 80 g, 500 sheets
M8 x 25 hex bolts, 10 pcs
USB-C to HDMI 2.1 cable, 2m
T-shirt, V-neck, size L
S, M, L, XL and XXL in stock
e-mail icon, vector
i.e. and e.g. explained
U.S.A. road trip map
Dr. J. R. R. T. Example, bookplate
www.example.test, photo of the day
IMG_{y}_{n}.jpg
DSC0{m}{m}.JPG
ISBN 978-3-16-148410-0
tel aviv skyline at dusk
call of the wild, book cover
Main Street, {y}, postcard
{m} Main Street at night
Abbey Road, crossing
Via Appia antica near Rome
rue de Rivoli in the rain
Calle de Alcalá, Madrid, {y}
Straße am Abend, {y}
ein Haus mit {n} Zimmern
{n} Jahre Garantie auf alle Teile
{n}-jährige Erfahrung im Handwerk
Käse, {n} Monate gereift
Essen in der Kantine
Sechs Äpfel auf dem Tisch
Staatsexamen, Lehrbuch
Kinderspiel war das nicht, sagt der Mechaniker
Erdkinder sind es nicht, es sind Pilze
{n} ans de garantie constructeur
vin de {y}, cave du château
le bus numéro {n} place de la Gare
une nue de nuages sur la mer
{n} años de garantía
hace {n} años se construyó el puente
{n} anos de garantia
há {n} anos foi aberta a loja
vinho do Porto de {n} anos
{n} anni di garanzia
formaggio stagionato {n} mesi
{n} jaar garantie op alle onderdelen
kinderkopjes in de straat
{n} lat gwarancji
{n} års garanti på motorn
barn i Norge er ikke låve, a red barn
ett rött hus vid sjön
{n} лет гарантии на двигатель
дом {n} на улице Мира
{n} класс опасности, знак
{n} класс точности, манометр
{n}年保証の時計
{n}年前の建物
第{n}章 表紙
{n}号車の列車
{n}周年記念ロゴ
カップヌードルの写真
官能基の化学
{n}年质保
{n}周年庆典
第{n}页
{n}级台风
{n}号线地铁站
孔子像前的石阶
电子产品目录
{n}년 보증
{n}주년 기념
{n}세기 건축
아이스크림 두 개
유아이 디자인
{n} سنوات ضمان
{n} वर्ष की वारंटी
रेलवे स्टेशन की तस्वीर
รับประกัน {n} ปี
bảo hành {n} năm
garansi {n} tahun
bayi ürün listesi
{n} yıl garanti
εγγύηση {n} έτη
{n} év garancia
{n} let záruky
{n} vuoden takuu
{n} ani garanție
{n} років гарантії
אחריות {n} שנים"""
_BEGINNINGS = ("", "", "", "Photo: ", "vintage poster, ", "close-up, ", "№ 12: ", "File:", "[sold] ", "NEW! ", "new: ")
_ENDS = (
    "",
    ".",
    " - stock photo",
    " | example.test",
    " (free shipping)",
    ", close-up",
    " #photo",
    "!",
    ", vector, EPS 10",
)


def captions(count: int = COUNT, seed: int = 7) -> list[str]:
    """Return this many captions, each sentence about equally often."""
    chance = random.Random(seed)
    sentences = SENTENCES.splitlines()
    made = []
    for number in range(count):
        caption = sentences[number % len(sentences)]
        for sign, low, high in (("{n}", 1, 17), ("{m}", 18, 99), ("{y}", 1850, 2025)):
            while sign in caption:
                caption = caption.replace(sign, str(chance.randint(low, high)), 1)
        made.append(chance.choice(_BEGINNINGS) + caption + chance.choice(_ENDS))
    return made


def findings(texts: list[str]) -> list[tuple[Finding, ...]]:
    """Return what the caption filter finds in each with the term lists that are shipped."""
    lists = tuple(
        ListSource(f"{name}-terms", str(TERMS / f"{name}.csv"), "terms", name, columns=COLUMNS)
        for name in ("minor", "adult")
    )
    return list(CaptionTerms(lists=lists).load()(Batch([Sample("s", "k", texts=(text,)) for text in texts])))


def main() -> None:
    """Print the rate for each label, and with --show one caption of each sentence that is found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true")
    show = parser.parse_args().show
    texts = captions()
    found = findings(texts)
    labels = Counter(label for each in found for label in {finding.label for finding in each})
    print(f"{len(texts):,} ordinary captions of {len(SENTENCES.splitlines())} sentences")
    for label in ("minor", "adult", "personal-details"):
        print(f"{label}: {labels[label]:,}, {labels[label] / len(texts):.3%}")
    if show:
        for text, each in list(zip(texts, found, strict=True))[: 8 * len(SENTENCES.splitlines())]:
            for finding in each:
                print(f"{finding.label} | {finding.form} | {finding.entry or finding.value} | {text}")


if __name__ == "__main__":
    main()
