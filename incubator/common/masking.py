"""How personal data looks on screens and in files: enough to recognise, too little to use."""


def mask_phone(phone: str | None) -> str:
    """``+8613800001234`` or ``13800001234`` → ``138****1234``; nothing for none."""
    digits = (phone or "").removeprefix("+86")
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 7 else ""


def mask_id_number(number: str | None) -> str:
    """``110105199001011234`` → ``110105********1234``; nothing for none."""
    return f"{number[:6]}********{number[-4:]}" if number and len(number) >= 10 else ""


def mask_name(name: str) -> str:
    """``王小明`` → ``王*明``, ``王明`` → ``王*``: the first and, from three characters on, the last stay."""
    if len(name) <= 2:
        return name[:1] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]
