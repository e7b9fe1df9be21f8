"""The sandbox's tokenizer: a token is four bytes of UTF-8, and a text's last token may be shorter.

It is no vendor's tokenizer. It is one that anyone can check by hand, that never counts more tokens than bytes, and
whose counts of an answer are the same when the answer comes back as input: the words of an answer are four bytes each.
"""

from __future__ import annotations

TOKEN_BYTES = 4
_WORDS = (
    "the  of  and  to  in  is  it  was  for  on  are  as  with  his  they  at  be  this  have  from  or  had  by  hot  "
    "but  some  what  more  when  can  out  than  use  her  time  how  said  an  each  she  which  do  their  if"
)


def tokens_of(text: str | bytes) -> int:
    """How many tokens a text is; none for an empty one."""
    size = len(text) if isinstance(text, bytes) or text.isascii() else len(text.encode())
    return -(-size // TOKEN_BYTES)


def _book() -> str:
    """A text of 4,096 tokens without a short period: each word takes four bytes with the space before it."""
    words = [f" {word[:3]:<3}" for word in _WORDS.split()]
    chosen, state = [], 1
    for _ in range(4096):
        state = (state * 48271) % 2147483647
        chosen.append(words[state % len(words)])
    return "".join(chosen)


_BOOK = _book()


def text_of(tokens: int, seed: int) -> str:
    """A text of exactly so many tokens; the same seed gives the same text, and a longer one begins with a shorter."""
    start = (seed % 4096) * TOKEN_BYTES
    size = tokens * TOKEN_BYTES
    text = _BOOK[start : start + size]
    while len(text) < size:
        text += _BOOK[: size - len(text)]
    return text
