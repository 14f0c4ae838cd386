"""Protocols that carry a letter to a person, one a file."""

from formloop.bridges.connectors.dingtalk import DingTalk
from formloop.bridges.connectors.email import Email
from formloop.bridges.connectors.feishu import Feishu
from formloop.bridges.connectors.letters import Channel, Letter
from formloop.bridges.connectors.wecom import WeCom
from formloop.core.registry import Registry

__all__ = ["Channel", "Letter", "channels"]

channels: Registry[Channel] = Registry("channel")
for _channel in (Email(), DingTalk(), WeCom(), Feishu()):
    channels.add(_channel.name, _channel)
