"""OpenAI's Responses API: requests, answers and streams, read and written."""

from offtake.gateway.translate.openai_responses.answer import read_answer, write_answer
from offtake.gateway.translate.openai_responses.read_request import read_request
from offtake.gateway.translate.openai_responses.read_stream import StreamReader
from offtake.gateway.translate.openai_responses.write_request import PATH, write_request
from offtake.gateway.translate.openai_responses.write_stream import StreamWriter

__all__ = ["PATH", "StreamReader", "StreamWriter", "read_answer", "read_request", "write_answer", "write_request"]
