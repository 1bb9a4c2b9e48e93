"""A file is read in the encoding it was saved in, or refused: letters never turn into others."""

import pytest

from core.errors import BadTranscript
from core.transcripts.encodings import decoded, encoding_of

SPOKEN = {
    "Swedish": ("cp1252", "Åsa: Färjan går inte på söndag. Göran: Det blir väldigt dyrt för öborna."),
    "Portuguese": ("cp1252", "João: A balsa não sai amanhã. Conceição: Então é preciso avisar já."),
    "Norwegian": ("cp1252", "Bjørn: Båten må bøtes på, og så får øya vente til våren. Åse: Nå ja."),
    "Icelandic": ("cp1252", "Þórður: Ferjan siglir ekki á sunnudag. Ásdís: Það er ekki í lagi."),
    "French": ("cp1252", "Zoë : Le bac ne part pas à midi, c’est l’été. René : Où ça, déjà ?"),
    "Albanian": ("cp1252", "Anë: Trageti nuk niset të dielën, është çështje kohe për ne të gjithë."),
    "Turkish": ("cp1254", "Ayşe: Vapur pazar günü çalışmıyor. Çağrı: Çünkü pompası kırılmış."),
    "Polish": ("cp1250", "Łucja: Prom nie płynie w niedzielę. Józef: Więc trzeba ogłosić dziś."),
    "Czech": ("iso8859-2", "Jiří: Přívoz v neděli nejezdí. Šárka: Tak to musíme říct ještě dnes."),
    "Hungarian": ("cp1250", "Győző: A komp vasárnap nem közlekedik. Tünde: Ezt közölnünk kell előre."),
    "Latvian": ("cp1257", "Jānis: Prāmis svētdien nekursē. Ilze: Tad jāpaziņo šodien, pirms brīvdienām."),
    "Russian": ("cp1251", "Анна: Паром в воскресенье не ходит. Борис: Тогда надо объявить сегодня."),
    "Russian of Unix": ("koi8-r", "Анна: Паром в воскресенье не ходит. Борис: Надо объявить сегодня."),
    "Russian of DOS": ("cp866", "Анна: Паром в воскресенье не ходит. Борис: Надо объявить сегодня."),
    "Greek": ("cp1253", "Άννα: Το πλοίο δεν φεύγει την Κυριακή. Νίκος: Τότε να το πούμε σήμερα."),
    "Hebrew": ("cp1255", "חנה: המעבורת לא יוצאת ביום ראשון. דוד: אז צריך להודיע על זה היום."),
    "Arabic": ("cp1256", "سلمى: العبّارة لا تبحر يوم الأحد. كريم: إذن يجب أن نعلن ذلك اليوم."),
    "Thai": ("cp874", "มาลี: เรือข้ามฟากไม่ออกวันอาทิตย์ สมชาย: งั้นเราต้องประกาศวันนี้"),
    "Chinese": ("gb18030", "李安: 渡轮的时间表四月改变，我们星期天少两班船。王博: 谁去告诉岛委会？"),
    "Chinese of Taiwan": ("big5", "李安: 渡輪的時間表四月改變，我們星期天少兩班船。王博: 誰去告訴島委會？"),
    "Japanese": ("cp932", "安藤: 日曜日のフェリーは二便減ります。馬場: では、島の人に知らせましょう。"),
    "Japanese of Unix": ("euc-jp", "安藤: 日曜日のフェリーは二便減ります。馬場: では、知らせましょう。"),
    "Japanese of e-mail": ("iso2022_jp", "安藤: 日曜日の船は二便減ります。馬場: では、知らせましょう。"),
    "Korean": ("cp949", "안나: 일요일 배편이 두 번 줄어듭니다. 보람: 그럼 섬 주민에게 알려야죠."),
    "Chinese in UTF-16": ("utf-16-le", "李安: 渡轮的时间表四月改变，我们星期天少两班船。\n王博: 谁去？"),
    "German in UTF-16": ("utf-16-be", "Zoë: Die Fähre fährt am Sonntag nicht.\nJörg: Schade."),
}  # fmt: skip


@pytest.mark.parametrize(("encoding", "text"), SPOKEN.values(), ids=SPOKEN)
def test_a_few_sentences_are_enough(encoding: str, text: str) -> None:
    assert decoded(text.encode(encoding)) == text


@pytest.mark.parametrize(("encoding", "text"), SPOKEN.values(), ids=SPOKEN)
def test_the_encoding_that_is_named_makes_the_same_text(encoding: str, text: str) -> None:
    body = text.encode(encoding)

    assert body.decode(encoding_of(body)) == text


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"a", "ascii"),
        (b"\xef\xbb\xbfa", "utf-8"),
        ("Ø".encode("utf-16"), "utf-16"),
    ],
)
def test_the_usual_encodings_have_their_usual_names(body: bytes, name: str) -> None:
    assert encoding_of(body) == name


@pytest.mark.parametrize("encoding", ["gb18030", "big5", "cp932", "euc-jp", "cp949", "iso2022_jp"])
@pytest.mark.parametrize("shift", [0, 1, 2, 3])
def test_no_sample_ends_inside_a_character(encoding: str, shift: int) -> None:
    """However long the file is, and wherever its characters begin."""
    (line,) = (text for name, text in SPOKEN.values() if name == encoding)
    text = "x" * shift + line * 3000

    assert decoded(text.encode(encoding)) == text


@pytest.mark.parametrize(
    "word", ["José", "Zoë", "François", "Søren", "João", "Åsa", "naïve", "“yes”", "well…", "it’s"]
)
def test_one_western_word_in_an_english_file_is_western(word: str) -> None:
    text = "Ann: The ferry does not sail on Sunday.\n" * 40 + f"Bob: I told {word} so.\n"

    assert decoded(text.encode("cp1252")) == text


@pytest.mark.parametrize("broken", [b"\x98", b"\xe9", b"\xff", b"\xc3", b"\xed\xa0\x80"])
def test_utf8_with_a_broken_byte_stays_utf8(broken: bytes) -> None:
    text = "Zoë: Für die Fähre.\n".encode()

    read = decoded(text + broken + b"\n" + text)

    assert read.replace("\ufffd", "") == "Zoë: Für die Fähre.\n\nZoë: Für die Fähre.\n"
    assert "\ufffd" in read


def test_utf8_that_is_cut_inside_a_character_stays_utf8() -> None:
    assert decoded("Zoë: Für die Fähre, ä".encode()[:-1]) == "Zoë: Für die Fähre, \ufffd"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_mark_is_believed_although_the_end_is_missing(encoding: str) -> None:
    text = "Zoë: Für die Fähre, ä"

    assert decoded(text.encode(encoding)[:-1]) == text[:-1] + "\ufffd"


def test_what_no_language_explains_is_refused() -> None:
    with pytest.raises(BadTranscript) as refused:
        decoded(bytes(range(0x80, 0x100)) * 3)

    assert refused.value.code == "unknown-encoding"
    assert "save it as UTF-8" in str(refused.value)
