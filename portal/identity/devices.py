"""What kind of device a session is on, in a reader's words, from what the browser says of itself."""

from flask_babel import gettext as _


def device_words(agent: str) -> str:
    """手机（微信）, 电脑（Edge）, ... A browser may say anything: this is a help to memory, not a proof."""
    return _("%(device)s（%(browser)s）", device=_device(agent), browser=_browser(agent))


def _device(agent: str) -> str:
    if "iPad" in agent or "Tablet" in agent:
        return _("平板")
    if "Mobile" in agent or "iPhone" in agent or "Android" in agent:
        return _("手机")
    if any(word in agent for word in ("Windows", "Macintosh", "X11", "Linux")):
        return _("电脑")
    return _("设备")


def _browser(agent: str) -> str:
    known = [
        ("MicroMessenger", _("微信")),
        ("Edg", "Edge"),
        ("HuaweiBrowser", _("华为浏览器")),
        ("MiuiBrowser", _("小米浏览器")),
        ("Firefox", "Firefox"),
        ("Chrome", "Chrome"),
        ("Safari", "Safari"),
    ]
    return next((words for sign, words in known if sign in agent), _("浏览器"))
