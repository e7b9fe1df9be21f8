"""Requests like the one before, in one pass: what most clients send most of the time.

A client's library repeats its head, and most calls are texts to one model that are answered whole (`openai_plain`).
What was decided for the first of them holds for the next, until a price, a date, a file, a key, a decision or a
standing changes. So the first goes the general way (`dispatch.py`) and leaves a `Routine`, which is `kept`. From then
on a call is read, counted and held for, its intent written, sent, its usage read and priced, and its settlement
written, with no step between that only carries things about, and no coroutine: it is `begun` where the client's
connection has read it, and ended where the vendor's connection has read its answer.

Nothing is decided here. What is out of the ordinary before the intent is written is left to the general way untouched;
what is out of the ordinary later goes on in it, as an attempt that has begun. A property test holds both ways to the
same journal, the same books and the same answers.
"""
