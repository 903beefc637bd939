"""The words of the generated problems: people, things and, for each theme, how each move is told.

A theme maps the name of a move (:data:`ases.graphs.MOVES`) to its tellings. ``;`` parts different events,
``|`` parts what is told, what follows from it (one clause for each operation) and, after ``?``, what is asked;
``&`` parts two facts of one event, ``~`` wordings of the same. Where a move leaves out what follows or what is
asked, the theme's ``state`` and ``ask`` stand in. Slots: ``S`` the subject, as name or pronoun, ``N`` always the
name, ``O`` another person, ``his``, ``him``, the things (``items``), what holds them (``box1`` to ``box4``, plural
``boxes1`` ...), the numbers given, by their letters in the move, and ``x``, which becomes an equation or its result.

Everything is told in the past tense, where verbs do not change with number, and every number is at least 2, so that
no sentence needs a singular. The vocabulary is small on purpose: tiny models learn these words from scratch.
"""

from __future__ import annotations

WOMEN = "Anna Bella Cora Dana Emma Fiona Grace Hana Ines Julia Kira Lucy Maria Nora Olga Paula Ruth Sara Tina".split()
MEN = "Adam Ben Carl David Eric Felix George Hugo Ivan Jack Kevin Leo Max Noah Oscar Peter Ryan Sam Tom".split()
THINGS = "balloons hats kites puzzles scarves socks spoons keys lamps cups".split()
GIFTS = "book ball shirt radio plant mirror".split()
PLURALS = {"box": "boxes", "pouch": "pouches", "bunch": "bunches", "bus": "buses"}

DISTRACTORS = """
{N} owned {d} {things} ; {N} was {d} years old ; there were {d} {things} on the table ; the walk home took {d} minutes ;
a neighbor had {d} {things} ; {N} had {d} cousins ; {N} lost {d} {things} last year ; the room had {d} chairs ;
a friend of {N} owned {d} {things} ; it was {d} degrees outside ; {N} got up at {d} in the morning ;
the shop next door sold {d} {things} that day ; {N} lived {d} miles from the school
"""
PLAUSIBLE = {"years old": (6, 15), "degrees": (5, 30), "in the morning": (5, 10), "cousins": (2, 12)}
"""The numbers that a distractor with these words may take."""

HAVE = {
    "state": "{S} had {x} {items}",
    "ask": "how many {items} did {S} have {tail}",
    "start": "{S} had {a} {items} ~ {S} started with {a} {items}",
    "kinds": "{S} had {a} {kind1} {items} & {S} had {b} {kind2} {items} ~ {S} also had {b} {kind2} {items}",
    "pool": """{S} had {a} {items} & {O} had {b} {items} ~ {O} had {b} | together they had {x} {items} ~ they had
        {x} {items} in all ~ {N} and {O} had {x} {items} together | ? how many {items} did they have together ~ how
        many {items} did {N} and {O} have in all""",
    "more": """{S} had {a} {items} & {O} had {k} more {items} than {N} ~ {O} had {k} more than {N} | {O} had {x}
        {items} | ? how many {items} did {O} have""",
    "fewer": """{S} had {a} {items} & {O} had {k} fewer {items} than {N} ~ {O} had {k} fewer than {N} | {O} had {x}
        {items} | ? how many {items} did {O} have""",
    "times": """{S} had {a} {items} & {O} had {times} as many {items} as {N} ~ {O} had {times} as many as {N} | {O}
        had {x} {items} | ? how many {items} did {O} have""",
    "groups": """{S} had {a} {boxes1} with {b} {items} in each ~ {S} had {a} {boxes1} and each {box1} held {b}
        {items} ~ there were {b} {items} in each of the {a} {boxes1} that {S} had""",
    "branches": """{S} had {a} {boxes1} with {b} {items} in each ~ {S} had {a} {boxes1} of {b} {items} & {S} also
        had {c} {boxes2} with {d} {items} in each ~ {S} had {c} {boxes2} with {d} {items} in each | the {boxes1}
        held {x} {items} ~ there were {x} {items} in the {boxes1} | the {boxes2} held {x} {items} ~ there were {x}
        {items} in the {boxes2}""",
    "branches-difference": """{S} filled {a} {boxes1} with {b} {items} each ~ {S} put {b} {items} into each of {a}
        {boxes1} & {S} filled {c} {boxes2} with {d} {items} each ~ {S} put {d} {items} into each of {c} {boxes2}
        | the {boxes1} held {x} {items} ~ there were {x} {items} in the {boxes1}
        | the {boxes2} held {x} {items} ~ there were {x} {items} in the {boxes2}
        | the {boxes1} held {x} more {items} ~ the difference was {x} {items}
        | ? how many more {items} did the {boxes1} hold than the {boxes2}""",
    "share": """{S} shared all the {items} equally among {k} friends ~ {S} gave the same number of {items} to each
        of {k} friends | each friend got {x} {items} ~ every friend got {x} | ? how many {items} did each friend get
        ; {S} divided all the {items} equally among {k} children ~ {k} children got equal shares of the {items} |
        each child got {x} {items} ~ every child got {x} {items} | ? how many {items} did each child get""",
    "pack": """{S} packed all the {items} into {boxes4} of {k} ~ {S} put {k} {items} into each {box4} | {S} filled
        {x} {boxes4} ~ {S} needed {x} {boxes4} ~ there were {x} {boxes4} | ? how many {boxes4} did {S} fill ~ how
        many {boxes4} did {S} need""",
    "price": """each {box4} sold for {k_usd} ~ {S} sold every {box4} for {k_usd} | {S} earned {x} dollars ~ the
        {boxes4} brought {x} dollars ~ {S} got {x} dollars | ? how many dollars did {S} earn ~ how much money did
        {S} get for the {boxes4}""",
    "sell": """{S} sold all the {items} for {k_usd} each ~ {S} sold each of the {items} for {k_usd} | {S} earned
        {x} dollars ~ {S} got {x} dollars for the {items} ~ the {items} brought {x} dollars | ? how many dollars did
        {S} earn ~ how much money did {S} get for the {items}""",
    "spend": """{S} spent {k_usd} of the money on a {gift} ~ {S} paid {k_usd} for a {gift} ~ {S} bought a {gift}
        for {k_usd} | {S} had {x} dollars left ~ {x} dollars were left | ? how many dollars did {S} have left ~ how
        much money was left""",
    "goal": """{S} wanted to have {m} {items} ~ {S} wanted {m} {items} in all | {S} still needed {x} {items} ~ {S}
        needed {x} more {items} | ? how many more {items} did {S} need""",
    "fill": """the {items} came in {boxes4} of {k} ~ each {box4} in the shop held {k} {items} | {S} had to buy {x}
        {boxes4} ~ {S} needed {x} {boxes4} | ? how many {boxes4} did {S} have to buy""",
    "cost": """each {box4} cost {k_usd} ~ the price of a {box4} was {k_usd} | {S} had to pay {x} dollars ~ the
        {boxes4} cost {x} dollars | ? how many dollars did {S} have to pay ~ how much did the {boxes4} cost""",
    "compare": """{O} had {m} {items} ~ {O} had only {m} {items} | {S} had {x} more {items} than {O} ~ the
        difference was {x} {items} | ? how many more {items} than {O} did {S} have""",
}

THEMES: dict[str, dict[str, str]] = {
    "candy": HAVE | {
        "items": "candies lollipops chocolates gummies caramels", "boxes": "bag jar packet tin",
        "adjectives": "red/green sweet/sour big/small",
        "gain": """{S} bought {k} more {items} ~ {S} bought {k} more ; a friend gave {him} {k} more {items} ~ {S}
            got {k} more from a friend ; {S} won {k} {items} at school ~ {S} won {k} more {items} at school""",
        "lose": """{S} ate {k} {items} ~ {S} ate {k} of them ; {S} gave {k} {items} to a friend ~ {S} gave {k} of
            them to a friend ; {S} dropped {k} {items} in the mud ~ {S} lost {k} of the {items} in the mud""",
        "half": "{S} gave half of the {items} to a friend ~ {S} gave a friend half of them",
        "add-groups": """{S} bought {a} {boxes3} with {b} {items} in each ~ {S} bought {a} {boxes3} of {b} {items}
            | the {boxes3} added {x} {items} ~ there were {x} {items} in the {boxes3}""",
        "take-groups": """{S} gave {b} {items} to each of {a} friends ~ {a} friends each got {b} {items} from {him}
            | {S} gave away {x} {items} ~ the friends got {x} {items}""",
    },
    "collection": HAVE | {
        "items": "cards stickers stamps coins marbles",
        "boxes": "binder folder box case",
        "double": """over the next year the number of {items} {mult} ~ by the next summer the number of {items} had
            {mult}""",
        "adjectives": "old/new rare/plain blue/white",
        "gain": """{S} found {k} {items} in the attic ~ {S} found {k} more {items} in the attic ; {S} got {k}
            {items} for {his} birthday ~ {S} got {k} more as a birthday present ; {S} got {k} {items} in a trade ~
            {S} traded for {k} more {items}""",
        "lose": """{S} lost {k} {items} ~ {S} lost {k} of them ; {S} traded away {k} {items} ~ {S} gave up {k} of
            the {items} in a trade ; {S} gave {k} {items} to a cousin ~ {S} gave {k} of them to a cousin""",
        "half": "{S} sold half of the {items} ~ half of the {items} were sold",
        "add-groups": """{S} ordered {a} {boxes3} with {b} {items} in each ~ {a} {boxes3} with {b} {items} each
            came in the mail | the {boxes3} brought {x} new {items} ~ the mail brought {x} {items}""",
        "take-groups": """{S} traded {b} {items} with each of {a} classmates for old comics ~ {S} gave {a}
            classmates {b} {items} each for old comics | {S} gave up {x} {items} ~ the classmates got {x} {items}""",
    },
    "beach": HAVE | {
        "items": "shells pebbles crabs starfish",
        "boxes": "bucket jar net basket",
        "fill": "",
        "adjectives": "white/gray big/small smooth/rough",
        "start": "{S} found {a} {items} on the beach ~ {S} picked up {a} {items} at the beach",
        "gain": """{S} found {k} more {items} in the sand ~ {S} found {k} more in the sand ; a boy gave {him} {k}
            {items} ~ {S} got {k} {items} from a boy ; {S} picked up {k} more {items} near the rocks ~ {S} picked up
            {k} more near the rocks""",
        "lose": """{S} threw {k} {items} back into the sea ~ {S} threw {k} of them back into the sea ; a wave took
            {k} {items} ~ {S} lost {k} {items} to a wave ; {S} left {k} {items} on the rocks ~ {S} left {k} of them
            on the rocks""",
        "half": "{S} put half of the {items} back into the water ~ {S} put half of them back into the water",
        "add-groups": """{S} filled {a} {boxes3} with {b} {items} each on the second day ~ on the second day {S}
            filled {a} {boxes3} with {b} {items} each | the second day brought {x} {items} ~ {S} found {x} {items}
            on the second day""",
        "take-groups": """{S} gave {b} {items} to each of {a} children ~ {a} children on the beach got {b} {items}
            each | the children got {x} {items} ~ {S} gave the children {x} {items}""",
    },
    "farm": HAVE | {
        "items": "eggs apples pears melons carrots",
        "boxes": "basket crate sack box",
        "adjectives": "large/small fresh/ripe brown/yellow",
        "start": "{S} had {a} {items} at the farm ~ {S} brought {a} {items} from the farm",
        "gain": """{S} picked up {k} more {items} in the morning ~ {S} brought in {k} more {items} in the morning ;
            the next farm sent {him} {k} {items} ~ {S} got {k} {items} from the next farm ; {S} found {k} more
            {items} in the barn ~ {k} more {items} were in the barn""",
        "lose": """{S} sold {k} {items} at the market ~ {S} sold {k} of them ; {k} of the {items} went bad ~ {S}
            threw out {k} bad {items} ; {S} used {k} {items} in the kitchen ~ {S} cooked {k} of the {items}""",
        "half": "{S} sold half of the {items} to a baker ~ a baker bought half of the {items}",
        "add-groups": """a truck brought {a} {boxes3} with {b} {items} in each ~ {S} got {a} {boxes3} of {b}
            {items} from a truck | the truck brought {x} {items} ~ there were {x} {items} in the {boxes3}""",
        "take-groups": """{a} neighbors took {b} {items} each ~ {S} gave {b} {items} to each of {a} neighbors | the
            neighbors took {x} {items} ~ {S} gave the neighbors {x} {items}""",
    },
    "baking": HAVE | {
        "items": "cookies muffins rolls pies waffles",
        "boxes": "box tin bag basket",
        "double": "in the evening the number of {items} {mult} ~ by the evening the number of {items} had {mult}",
        "adjectives": "lemon/cherry plain/sweet oat/rice",
        "start": "{S} baked {a} {items} ~ {S} made {a} {items}",
        "kinds": "{S} baked {a} {kind1} {items} & {S} baked {b} {kind2} {items} ~ {S} also baked {b} {kind2} {items}",
        "pool": HAVE["pool"].replace("had", "baked").replace("have", "bake"),
        "groups": """{S} baked {a} {boxes1} of {b} {items} ~ {S} baked {items} for {a} {boxes1} with {b} {items} in
            each""",
        "gain": """{S} baked {k} more {items} in the evening ~ {S} baked {k} more in the evening ; a baker brought
            {him} {k} {items} ~ {S} got {k} {items} from a baker ; {S} made another {k} {items} ~ {S} made {k} more""",
        "lose": """{S} burned {k} {items} ~ {k} of the {items} burned ; the dog ate {k} {items} ~ {S} lost {k}
            {items} to the dog ; {S} took {k} {items} to school ~ {S} took {k} of them to school""",
        "half": "{S} kept only half of the {items} ~ {S} gave away half of the {items}",
        "add-groups": """{S} made {a} more batches of {b} {items} ~ {S} baked {a} more batches with {b} {items} in
            each | the new batches gave {x} {items} ~ there were {x} new {items}""",
        "take-groups": """{a} guests ate {b} {items} each ~ each of the {a} guests ate {b} {items} | the guests ate
            {x} {items} ~ {x} {items} were eaten""",
    },
    "school": HAVE | {
        "items": "pencils markers notebooks erasers rulers",
        "boxes": "pack box case bag",
        "adjectives": "red/black long/short thick/thin",
        "gain": """{S} bought {k} more {items} ~ {S} bought another {k} {items} ; the teacher gave {him} {k}
            {items} ~ {S} got {k} more from the teacher ; {S} found {k} {items} in a desk ~ {S} found {k} more in a
            desk""",
        "lose": """{S} gave {k} {items} to the class ~ {S} gave the class {k} of them ; {S} broke {k} {items} ~ {k}
            of the {items} broke ; {S} lent {k} {items} to a classmate ~ {S} lent {k} of them to a classmate""",
        "half": "{S} left half of the {items} in the classroom ~ {S} left half of them in the classroom",
        "add-groups": """{S} opened {a} new {boxes3} with {b} {items} in each ~ {S} opened {a} {boxes3} of {b}
            {items} | the new {boxes3} held {x} {items} ~ the new {boxes3} brought {x} {items}""",
        "take-groups": """{S} handed {b} {items} to each of {a} students ~ {a} students each took {b} {items} | {S}
            handed out {x} {items} ~ the students took {x} {items}""",
    },
    "garden": HAVE | {
        "items": "roses tulips lilies daisies",
        "boxes": "vase pot bunch box",
        "adjectives": "red/yellow tall/short pink/white",
        "start": "{S} cut {a} {items} in the garden ~ {S} picked {a} {items} in the garden",
        "gain": """{S} picked {k} more {items} ~ {S} cut another {k} {items} ; a gardener gave {him} {k} {items} ~
            {S} got {k} {items} from a gardener ; {S} bought {k} more {items} at the market ~ {S} bought {k} more at
            the market""",
        "lose": """{k} of the {items} dried up ~ {S} threw away {k} dry {items} ; {S} gave {k} {items} to an aunt ~
            {S} gave {k} of them to an aunt ; {S} put {k} {items} on the table ~ {S} used {k} {items} for the table""",
        "half": "{S} sold half of the {items} ~ half of the {items} were sold",
        "add-groups": """{S} bought {a} {boxes3} with {b} {items} in each ~ {S} bought {a} {boxes3} of {b} {items}
            | the {boxes3} added {x} {items} ~ there were {x} {items} in the {boxes3}""",
        "take-groups": """{S} gave {b} {items} to each of {a} aunts ~ {a} aunts got {b} {items} each | the aunts
            got {x} {items} ~ {S} gave away {x} {items}""",
    },
    "savings": {
        "items": "dollars",
        "state": "{S} had {x} dollars ~ {S} had {x} dollars saved",
        "ask": "how many dollars did {S} have {tail} ~ how much money did {S} have {tail}",
        "start": "{S} had {a_usd} ~ {S} started with {a_usd} ~ {S} had {a_usd} at first",
        "gain": """{S} earned {k_usd} washing cars ~ {S} got {k_usd} for washing cars ; an uncle gave {him} {k_usd}
            ~ {S} got {k_usd} from an uncle ; {S} found {k_usd} in an old coat ~ {S} found another {k_usd} in an old
            coat ; {S} earned {k_usd} walking dogs ~ {S} made {k_usd} walking dogs""",
        "lose": """{S} spent {k_usd} on lunch ~ {S} paid {k_usd} for lunch ; {S} bought a {gift} for {k_usd} ~ {S}
            spent {k_usd} on a {gift} ; {S} lent {k_usd} to a friend ~ a friend borrowed {k_usd} from {him} ; {S}
            lost {k_usd} on the bus ~ {k_usd} got lost on the bus""",
        "half": "{S} put half of the money in the bank ~ half of the money went to the bank",
        "kinds": "{S} had {a_usd} in a jar & {S} had {b_usd} in a drawer ~ {S} also had {b_usd} in a drawer",
        "pool": """{S} had {a_usd} & {O} had {b_usd} | together they had {x} dollars ~ they had {x} dollars in all
            | ? how many dollars did they have together ~ how much money did they have in all""",
        "more": """{S} had {a_usd} & {O} had {k_usd} more than {N} | {O} had {x} dollars | ? how many dollars did
            {O} have ~ how much money did {O} have""",
        "fewer": """{S} had {a_usd} & {O} had {k_usd} less than {N} | {O} had {x} dollars | ? how many dollars did
            {O} have ~ how much money did {O} have""",
        "times": """{S} had {a_usd} & {O} had {times} as much money as {N} | {O} had {x} dollars | ? how many
            dollars did {O} have ~ how much money did {O} have""",
        "groups": """{S} worked for {a} hours at {b_usd} an hour ~ {S} earned {b_usd} an hour and worked for {a}
            hours | {S} earned {x} dollars | ? how many dollars did {S} earn ~ how much money did {S} earn ; {S}
            saved {b_usd} a week for {a} weeks ~ for {a} weeks {S} put {b_usd} a week in a jar | {S} saved {x}
            dollars | ? how many dollars did {S} save ~ how much money did {S} save""",
        "branches": """{S} sold {a} books for {b_usd} each ~ {S} sold {a} books at {b_usd} a book & {S} sold {c}
            games for {d_usd} each ~ {S} sold {c} games at {d_usd} a game | the books brought {x} dollars ~ {S} got
            {x} dollars for the books | the games brought {x} dollars ~ {S} got {x} dollars for the games""",
        "branches-difference": """{S} sold {a} books for {b_usd} each ~ {S} sold {a} books at {b_usd} a book & {S}
            sold {c} games for {d_usd} each ~ {S} sold {c} games at {d_usd} a game | the books brought {x} dollars ~
            {S} got {x} dollars for the books | the games brought {x} dollars ~ {S} got {x} dollars for the games |
            the books brought {x} dollars more ~ the difference was {x} dollars | ? how many more dollars did the
            books bring than the games""",
        "add-groups": """{S} mowed {a} lawns for {b_usd} each ~ {S} got {b_usd} for each of {a} lawns | the lawns
            brought {x} dollars ~ {S} got {x} dollars for the lawns""",
        "take-groups": """{S} bought {a} tickets for {b_usd} each ~ {S} paid {b_usd} for each of {a} tickets | the
            tickets cost {x} dollars ~ {S} paid {x} dollars for the tickets""",
        "share": """{S} split all the money equally among {k} children ~ {S} gave each of {k} children the same
            part of the money | each child got {x} dollars ~ every child got {x} dollars | ? how many dollars did
            each child get ~ how much money did each child get""",
        "pack": """{S} spent all the money on books for {k_usd} each ~ {S} used all the money to buy books at
            {k_usd} a book | {S} bought {x} books ~ {S} got {x} books | ? how many books did {S} buy ~ how many
            books did {S} get""",
        "goal": """{S} wanted to buy a bike for {m_usd} ~ the bike that {S} wanted cost {m_usd} | {S} still needed
            {x} dollars ~ {S} needed {x} more dollars | ? how many more dollars did {S} need ~ how much more money
            did {S} need""",
        "fill": """{S} could save {k_usd} a week ~ each week {S} could save {k_usd} | {S} had to save for {x} weeks
            ~ {S} needed {x} weeks | ? for how many weeks did {S} have to save ~ how many weeks did {S} need to save
            the rest""",
        "compare": """{O} had {m_usd} ~ {O} had only {m_usd} | {S} had {x} dollars more than {O} ~ the difference
            was {x} dollars | ? how many more dollars than {O} did {S} have""",
    },
    "cycling": {
        "items": "kilometers",
        "state": "{S} had ridden {x} kilometers ~ {S} rode {x} kilometers",
        "ask": "how many kilometers did {S} ride in total ~ how many kilometers did {S} ride in all",
        "start": "{S} rode {a} kilometers to the lake ~ {S} rode {a} kilometers to reach the lake",
        "gain": """{S} rode {k} more kilometers to a hotel ~ {S} went on for {k} kilometers to a hotel ; {S} rode
            another {k} kilometers to a town ~ {S} went {k} kilometers further to a town ; {S} took a road of {k}
            kilometers to a castle ~ {S} rode {k} kilometers to a castle""",
        "kinds": """{S} rode {a} kilometers uphill & {S} rode {b} kilometers downhill ~ {S} went another {b}
            kilometers downhill""",
        "pool": """{S} rode {a} kilometers & {O} rode {b} kilometers | together they rode {x} kilometers ~ they
            rode {x} kilometers in all | ? how many kilometers did they ride together""",
        "more": """{S} rode {a} kilometers & {O} rode {k} kilometers more than {N} ~ {O} rode {k} kilometers
            further than {N} | {O} rode {x} kilometers | ? how many kilometers did {O} ride""",
        "fewer": """{S} rode {a} kilometers & {O} rode {k} kilometers less than {N} | {O} rode {x} kilometers | ?
            how many kilometers did {O} ride""",
        "times": """{S} rode {a} kilometers & {O} rode {times} as far as {N} | {O} rode {x} kilometers | ? how many
            kilometers did {O} ride""",
        "groups": "{S} rode for {a} hours at {b} kilometers an hour ~ {S} rode at {b} kilometers an hour for {a} hours",
        "branches": """{S} rode for {a} hours at {b} kilometers an hour uphill ~ {S} rode uphill at {b} kilometers
            an hour for {a} hours & {S} rode for {c} hours at {d} kilometers an hour downhill ~ {S} rode downhill at
            {d} kilometers an hour for {c} hours | {S} rode {x} kilometers uphill ~ the way uphill was {x}
            kilometers | {S} rode {x} kilometers downhill ~ the way downhill was {x} kilometers""",
        "add-groups": """{S} rode for {a} hours at {b} kilometers an hour along the river ~ {S} rode along the
            river for {a} hours at {b} kilometers an hour | {S} rode {x} kilometers along the river ~ the way along
            the river was {x} kilometers""",
        "share": """the whole way had {k} parts of equal length ~ there were {k} parts of equal length | each part
            was {x} kilometers long ~ the length of each part was {x} kilometers | ? how many kilometers long was
            each part ~ how long was each part in kilometers""",
        "pack": """{S} drank a bottle of water every {k} kilometers ~ every {k} kilometers {S} drank a bottle of
            water | {S} drank {x} bottles of water ~ {S} needed {x} bottles of water | ? how many bottles of water
            did {S} drink""",
        "price": """each bottle cost {k_usd} ~ {S} paid {k_usd} for each bottle | {S} paid {x} dollars for water ~
            the bottles cost {x} dollars | ? how many dollars did {S} pay for water ~ how much did the bottles cost""",
        "goal": """the whole trip was {m} kilometers long ~ {S} wanted to ride {m} kilometers in all | {S} still
            had to ride {x} kilometers ~ {x} kilometers were left | ? how many more kilometers did {S} have to ride
            ~ how many kilometers were left""",
        "fill": """{S} rode the rest at {k} kilometers an hour ~ for the rest of the way {S} rode {k} kilometers an
            hour | the rest took {x} hours ~ {S} needed {x} hours for the rest | ? how many hours did the rest of
            the trip take""",
        "compare": """{O} rode {m} kilometers ~ {O} rode only {m} kilometers | {S} rode {x} kilometers more than
            {O} ~ the difference was {x} kilometers | ? how many more kilometers than {O} did {S} ride""",
    },
    "reading": {
        "items": "pages",
        "state": "{S} had read {x} pages ~ {S} read {x} pages",
        "ask": "how many pages did {S} read in total ~ how many pages did {S} read in all",
        "start": "{S} read {a} pages on Monday ~ on Monday {S} read {a} pages",
        "gain": """{S} read {k} more pages in bed ~ {S} read another {k} pages in bed ; {S} read {k} pages on the
            train ~ on the train {S} read {k} pages ; {S} read {k} pages in the park ~ in the park {S} read {k} more
            pages""",
        "kinds": """{S} read {a} pages before lunch & {S} read {b} pages after lunch ~ {S} read another {b} pages
            after lunch""",
        "pool": """{S} read {a} pages & {O} read {b} pages ~ {O} read {b} | together they read {x} pages ~ they
            read {x} pages in all | ? how many pages did they read together ~ how many pages did {N} and {O} read in
            all""",
        "more": """{S} read {a} pages & {O} read {k} more pages than {N} ~ {O} read {k} more than {N} | {O} read
            {x} pages | ? how many pages did {O} read""",
        "fewer": """{S} read {a} pages & {O} read {k} fewer pages than {N} ~ {O} read {k} fewer than {N} | {O} read
            {x} pages | ? how many pages did {O} read""",
        "times": """{S} read {a} pages & {O} read {times} as many pages as {N} | {O} read {x} pages | ? how many
            pages did {O} read""",
        "groups": """{S} read {b} pages a day for {a} days ~ for {a} days {S} read {b} pages a day ~ {S} read for
            {a} days and finished {b} pages each day""",
        "branches": """{S} read {a} chapters of {b} pages each ~ {S} read {a} chapters with {b} pages in each & {S}
            read {c} stories of {d} pages each ~ {S} read {c} stories with {d} pages in each | the chapters had {x}
            pages ~ there were {x} pages in the chapters | the stories had {x} pages ~ there were {x} pages in the
            stories""",
        "branches-difference": """{S} read {a} chapters of {b} pages each ~ {S} read {a} chapters with {b} pages in
            each & {S} read {c} stories of {d} pages each ~ {S} read {c} stories with {d} pages in each | the
            chapters had {x} pages ~ there were {x} pages in the chapters | the stories had {x} pages ~ there were
            {x} pages in the stories | the chapters had {x} more pages ~ the difference was {x} pages | ? how many
            more pages did the chapters have than the stories""",
        "add-groups": """{S} read {a} poems of {b} pages each ~ {S} read {a} poems with {b} pages in each | the
            poems had {x} pages ~ there were {x} pages in the poems""",
        "share": """these pages made up {k} parts of equal length ~ there were {k} parts of equal length in these
            pages | each part had {x} pages ~ there were {x} pages in each part | ? how many pages did each part
            have""",
        "pack": """the reading speed was {k} pages an hour ~ each hour {S} read {k} pages | {S} read for {x} hours
            ~ the reading took {x} hours | ? for how many hours did {S} read ~ how many hours did the reading take""",
        "goal": """all of this was part of a book of {m} pages ~ all of this was part of a book with {m} pages |
            {x} pages were left ~ {S} still had to read {x} pages | ? how many pages of the book were left ~ how
            many more pages of the book did {S} have to read""",
        "fill": """{S} read the rest of the book at {k} pages a day ~ for the rest of the book {S} read {k} pages a
            day | the rest took {x} days ~ {S} needed {x} more days | ? how many days did the rest of the book take""",
        "compare": """{O} read {m} pages ~ {O} read only {m} pages | {S} read {x} more pages than {O} ~ the
            difference was {x} pages | ? how many more pages than {O} did {S} read""",
    },
    "visitors": {
        "items": "visitors students guests", "boxes": "van bus boat train",
        "double": "at noon the number of {items} {mult} ~ by noon the number of {items} had {mult}",
        "adjectives": "young/old local/foreign",
        "state": "there were {x} {items}",
        "ask": "how many {items} were there {tail}",
        "start": "there were {a} {items} at the museum ~ {a} {items} came to the museum",
        "gain": """{k} more {items} came in ~ another {k} {items} came in ; {k} {items} came from a hotel ~ a hotel
            sent {k} more {items} ; {k} {items} came after lunch ~ after lunch {k} more {items} came""",
        "lose": """{k} {items} went home ~ {k} of them went home ; {k} {items} left early ~ {k} of the {items} left
            early ; {k} {items} went to a cafe ~ {k} of the {items} went out to a cafe""",
        "half": "half of the {items} went home ~ half of the {items} left",
        "kinds": """there were {a} {kind1} {items} at the museum & there were {b} {kind2} {items} ~ there were also
            {b} {kind2} {items}""",
        "pool": """{a} {items} came by car & {b} {items} came on foot | {x} {items} came in all ~ in all {x}
            {items} came by car or on foot | ? how many {items} came in all""",
        "more": """{a} {items} came by car & {k} more {items} came on foot than by car | {x} {items} came on foot |
            ? how many {items} came on foot""",
        "fewer": """{a} {items} came by car & {k} fewer {items} came on foot than by car | {x} {items} came on foot
            | ? how many {items} came on foot""",
        "times": """{a} {items} came by car & {times} as many {items} came on foot | {x} {items} came on foot | ?
            how many {items} came on foot""",
        "groups": """{a} {boxes1} with {b} {items} in each came to the museum ~ {a} {boxes1} came to the museum and
            each {box1} brought {b} {items}""",
        "branches": """{a} {boxes1} with {b} {items} in each came in the morning ~ in the morning {a} {boxes1}
            brought {b} {items} each & {c} {boxes2} with {d} {items} in each came at noon ~ at noon {c} {boxes2}
            brought {d} {items} each | the {boxes1} brought {x} {items} ~ {x} {items} came in the morning | the
            {boxes2} brought {x} {items} ~ {x} {items} came at noon""",
        "branches-difference": """{a} {boxes1} with {b} {items} in each came in the morning ~ in the morning {a}
            {boxes1} brought {b} {items} each & {c} {boxes2} with {d} {items} in each came at noon ~ at noon {c}
            {boxes2} brought {d} {items} each | the {boxes1} brought {x} {items} ~ {x} {items} came in the morning |
            the {boxes2} brought {x} {items} ~ {x} {items} came at noon | {x} more {items} came in the morning ~ the
            difference was {x} {items} | ? how many more {items} came in the morning than at noon""",
        "add-groups": """{a} {boxes3} brought {b} {items} each ~ {a} {boxes3} with {b} {items} in each came from
            the city | the {boxes3} brought {x} {items} ~ {x} {items} came in the {boxes3}""",
        "take-groups": """{a} {boxes3} took {b} {items} each to the station ~ {a} {boxes3} left with {b} {items} in
            each | the {boxes3} took away {x} {items} ~ {x} {items} left in the {boxes3}""",
        "share": """all the {items} were split into {k} equal groups ~ the guide made {k} equal groups of the
            {items} | each group had {x} {items} ~ there were {x} {items} in each group | ? how many {items} were in
            each group""",
        "pack": """all the {items} went home in {boxes4} of {k} ~ each {box4} took {k} of the {items} home | the
            {items} filled {x} {boxes4} ~ there were {x} {boxes4} | ? how many {boxes4} did the {items} fill""",
        "price": """each {box4} cost {k_usd} ~ the price of a {box4} was {k_usd} | the {boxes4} cost {x} dollars |
            ? how many dollars did the {boxes4} cost""",
        "sell": """all the {items} paid {k_usd} each ~ each of the {items} paid {k_usd} | the museum earned {x}
            dollars ~ the {items} paid {x} dollars | ? how many dollars did the museum earn ~ how much money did the
            {items} pay""",
        "spend": """the museum spent {k_usd} of the money on paint ~ the museum paid {k_usd} for paint | the museum
            had {x} dollars left ~ {x} dollars were left | ? how many dollars did the museum have left ~ how much of
            the money was left""",
        "goal": """the museum had room for {m} {items} ~ there was room for {m} {items} | there was room for {x}
            more {items} | ? for how many more {items} was there room""",
        "compare": """there were {m} {items} at the zoo ~ the zoo had {m} {items} | the museum had {x} more {items}
            ~ the difference was {x} {items} | ? how many more {items} did the museum have than the zoo""",
    },
}

APART = ("cycling", "reading")
"""Themes where nothing happens to the total of two people: who would ride or read at whose speed is unclear."""
