from events.mail import mail, woken

__all__ = ["mail", "woken"]
