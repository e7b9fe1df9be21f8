"""OpenAI's chat completions, which most vendors speak: requests, answers and streams, read and written."""

from offtake.gateway.translate.openai_chat.answer import read_answer, write_answer
from offtake.gateway.translate.openai_chat.read_request import read_request
from offtake.gateway.translate.openai_chat.stream import StreamReader, StreamWriter
from offtake.gateway.translate.openai_chat.write_request import PATH, write_request

__all__ = ["PATH", "StreamReader", "StreamWriter", "read_answer", "read_request", "write_answer", "write_request"]
