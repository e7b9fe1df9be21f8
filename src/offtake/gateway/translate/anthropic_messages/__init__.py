"""Anthropic's Messages API: requests, answers and streams, read and written."""

from offtake.gateway.translate.anthropic_messages.answer import read_answer, write_answer
from offtake.gateway.translate.anthropic_messages.read_request import read_request
from offtake.gateway.translate.anthropic_messages.stream import StreamReader, StreamWriter
from offtake.gateway.translate.anthropic_messages.write_request import PATH, write_request

__all__ = ["PATH", "StreamReader", "StreamWriter", "read_answer", "read_request", "write_answer", "write_request"]
