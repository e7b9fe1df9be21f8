"""Translation between OpenAI's dialects and Anthropic's, where the chosen vendor does not speak the client's."""

from offtake.gateway.translate.exchange import Dialect, Exchange, Stream, refused, translate
from offtake.gateway.translate.fields import BadRequest
from offtake.gateway.translate.models import wire_of
from offtake.gateway.translate.wire import Wire

__all__ = ["BadRequest", "Dialect", "Exchange", "Stream", "Wire", "refused", "translate", "wire_of"]
