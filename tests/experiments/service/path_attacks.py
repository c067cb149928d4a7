"""Sixty names that tried to leave a folder, in one program or another."""

from __future__ import annotations

_UP = ["..", "../", "../../", "../../../../../../etc/passwd"]
_ENCODED = [
    "%2e%2e", "%2e%2e%2f", "..%2f", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", ".%2e/.%2e/etc/passwd",
    "%252e%252e%252f", "%252e%252e%252fetc%252fpasswd", "..%252f..%252f", "%25252e%25252e%25252f",
    "%25252e%25252e%25252fetc%25252fpasswd", "..%c0%af", "..%c0%afetc/passwd", "%c0%ae%c0%ae/", "%e0%80%ae%e0%80%ae/",
    "%2e%2e%5c", "..%5c..%5cwindows", "%5c%5chost%5cshare", "..%u2215etc",
]  # fmt: skip
_BACKSLASH = [
    "..\\",
    "..\\..\\etc\\passwd",
    "\\etc\\passwd",
    "C:\\windows\\win.ini",
    "C:/windows/win.ini",
    "\\\\host\\share",
]
_NUL = ["%00", "file%00.json", "..%00/", "report.json%00.png", "%00../../etc/passwd", "%2500"]
_ABSOLUTE = [
    "%2fetc%2fpasswd", "%2Fetc%2Fpasswd", "//etc/passwd", "///etc/passwd", "/etc/passwd", "file:///etc/passwd",
    "%2f%2fproc%2fself%2froot%2fetc%2fpasswd", "//proc/self/root/etc/passwd", "proc/self/environ", "~/.ssh/id_rsa",
    "~root", "dev/zero",
]  # fmt: skip
_UNICODE = [
    "%ef%bc%8e%ef%bc%8e", "%e2%80%a5", "%e2%80%a6/", "%ef%bc%8e%ef%bc%8e%ef%bc%8f", "%e2%88%95etc%e2%88%95passwd",
    "%ef%bc%8fetc%ef%bc%8fpasswd", "%c2%a0..", "%e2%80%8b../",
]  # fmt: skip
_OTHER = [
    "....//",
    "....//....//etc/passwd",
    "..;/",
    "..;/..;/etc/passwd",
    ".%00./",
    "..//..//",
    "nas.db",
    ".serve-token.sha256",
]

ATTACKS = [*_UP, *_ENCODED, *_BACKSLASH, *_NUL, *_ABSOLUTE, *_UNICODE, *_OTHER]
