"""Robots of a company's work groups (群机器人): one POST says a message to the group. One file a platform."""

from bot.clients.robots.message import GroupMessage
from bot.clients.robots.robot import Robot

__all__ = ["GroupMessage", "Robot"]
