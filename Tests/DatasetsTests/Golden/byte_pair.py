"""Makes vocab.json, merges.txt and cases.json: a small byte-pair vocabulary in GPT-2's form, and what texts become in it.

Encoding follows the description in Radford et al., "Language models are unsupervised multitask learners" (2019), section
2.2, and Sennrich et al. (2016), algorithm 1; every case is compared with Hugging Face's tokenizers as well.

    python3 -m venv venv && venv/bin/pip install regex==2026.11.15 tokenizers==0.23.3
    venv/bin/python Tests/DatasetsTests/Golden/byte_pair.py
"""

import collections
import json
import pathlib

import regex
from tokenizers import Tokenizer, models, pre_tokenizers

FOLDER = pathlib.Path(__file__).parent
WORDS = regex.compile(
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
TRAINING = """It's a truth universally acknowledged, that a single man in possession of a good fortune,
must be in want of a wife. However little known the feelings or views of such a man may be on his first
entering a neighbourhood, this truth is so well fixed in the minds of the surrounding families, that he is
considered the rightful property of some one or other of their daughters. We've said we'll see; they're not
here, I'm here, he'd come.    Über die Straße läuft der Bär. Ça va? Déjà vu! Привет, мир. 日本語 日本 x = 3.14159; y += 27182
for (int i = 0; i < 100; i++) {\n        sum += values[i];\n        count++;\n    }\n"""
CASES = [
    "", " ", "a", "\n", "It's a truth", "they're we've I'm he'd she'll don't 'tis 'S 'RE O'Neill's",
    "  two spaces   three\t\ttabs \n\n newlines\n", "trailing   ", "\u00a0\u2003wide blanks\u3000here",
    "x=3.14159;y+=27182 100000 ½ ² Ⅷ ٣٤", "Über die Straße, Ça va? Привет, мир! 日本語", "e\u0301 é n\u0303",
    "naïve café — “quoted” … 🙂👍🏽 🇩🇪", "<|endoftext|> and \x00\x01\x7f\x85\x1c control", "aaaaaaaaaaaaaaaa",
    "for (int i = 0; i < 100; i++) {\n        sum += values[i];\n    }", "however neighbourhood considered",
    "' ' '' 's's '' \n's \n 's", "a\r\nb\r\n\r\nc", "हिन्दी देवनागरी ไทย العربية",
]


def symbols():
    """A printable character for each byte."""
    kept = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = (byte for byte in range(256) if byte not in kept)
    table = {byte: chr(byte) for byte in kept}
    table.update({byte: chr(0x100 + index) for index, byte in enumerate(others)})
    return table


def merged(word, pair):
    result, index = [], 0
    while index < len(word):
        if tuple(word[index:index + 2]) == pair:
            result.append(word[index] + word[index + 1])
            index += 2
        else:
            result.append(word[index])
            index += 1
    return tuple(result)


def learn(table, count):
    words = collections.Counter(
        tuple(table[byte] for byte in word.encode()) for word in WORDS.findall(TRAINING))
    merges = []
    for _ in range(count):
        pairs = collections.Counter()
        for word, times in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += times
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        words = {merged(word, best): times for word, times in words.items()}
    return merges


def encode(text, table, numbers, ranks):
    tokens = []
    for word in WORDS.findall(text):
        parts = tuple(table[byte] for byte in word.encode())
        while len(parts) > 1:
            pair = min(zip(parts, parts[1:]), key=lambda pair: ranks.get(pair, 1 << 30))
            if pair not in ranks:
                break
            parts = merged(parts, pair)
        tokens += [numbers[part] for part in parts]
    return tokens


def main():
    table = symbols()
    merges = learn(table, 250)
    # As in GPT-2: the bytes in the order of their characters' kinds, the merges, one special token.
    tokens = [*table.values(), *(first + second for first, second in merges), "<|endoftext|>"]
    numbers = {token: number for number, token in enumerate(tokens)}
    assert len(numbers) == len(tokens)
    (FOLDER / "vocab.json").write_text(json.dumps(numbers))
    (FOLDER / "merges.txt").write_text(
        "#version: 0.2\n" + "".join(f"{first} {second}\n" for first, second in merges), "utf-8")
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    peer = Tokenizer(models.BPE(vocab=numbers, merges=merges))
    peer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    cases = []
    for text in CASES + [TRAINING]:
        found = encode(text, table, numbers, ranks)
        assert found == peer.encode(text).ids, (text, found, peer.encode(text).tokens)
        assert bytes(byte for token in found for symbol in tokens[token]
                     for byte in [next(b for b, s in table.items() if s == symbol)]) == text.encode()
        cases.append({"text": text, "tokens": found})
    (FOLDER / "cases.json").write_text(json.dumps(cases, indent=1, ensure_ascii=True) + "\n")
    print(f"{len(tokens)} tokens, {len(cases)} cases")


main()
