"""URL lists and evasive spellings that several tests share."""

from pathlib import Path
from typing import Any

from filters.lists import ListSource

# Every way that we know to write http://blocked.example.test/a/b.jpg; by topic, after the WHATWG URL Standard's own
# tests (https://github.com/web-platform-tests/wpt, url/resources/urltestdata.json) and Safe Browsing's.
SPELLINGS = {
    "as it is": "http://blocked.example.test/a/b.jpg",
    "https": "https://blocked.example.test/a/b.jpg",
    "ftp": "ftp://blocked.example.test/a/b.jpg",
    "upper case": "HTTP://BLOCKED.example.TEST/a/b.jpg",
    "no scheme": "blocked.example.test/a/b.jpg",
    "two slashes": "//blocked.example.test/a/b.jpg",
    "one slash": "http:/blocked.example.test/a/b.jpg",
    "no slash": "http:blocked.example.test/a/b.jpg",
    "five slashes": "http://///blocked.example.test/a/b.jpg",
    "backslashes": "http:\\\\blocked.example.test\\a\\b.jpg",
    "mixed slashes": "http:/\\blocked.example.test\\a/b.jpg",
    "a scheme that nobody knows": "hxxp://blocked.example.test/a/b.jpg",
    "usual port": "http://blocked.example.test:80/a/b.jpg",
    "padded port": "http://blocked.example.test:0080/a/b.jpg",
    "other port": "https://blocked.example.test:8443/a/b.jpg",
    "empty port": "http://blocked.example.test:/a/b.jpg",
    "user": "http://user@blocked.example.test/a/b.jpg",
    "user and password": "http://user:secret@blocked.example.test/a/b.jpg",
    "a host as user": "http://benign.test@blocked.example.test/a/b.jpg",
    "two at signs": "http://benign.test@x@blocked.example.test/a/b.jpg",
    "escaped at sign in the user": "http://benign.test%40x@blocked.example.test/a/b.jpg",
    "trailing dot": "http://blocked.example.test./a/b.jpg",
    "trailing dots": "http://blocked.example.test.../a/b.jpg",
    "leading dot": "http://.blocked.example.test/a/b.jpg",
    "doubled dot": "http://blocked..example.test/a/b.jpg",
    "ideographic dots": "http://blocked。example．test｡/a/b.jpg",
    "full width": "http://ｂｌｏｃｋｅｄ.ｅｘａｍｐｌｅ.test/a/b.jpg",
    "full width scheme": "ｈｔｔｐ：／／ｂｌｏｃｋｅｄ.example.test/a/b.jpg",
    "circled letters": "http://ⓑⓛⓞⓒⓚⓔⓓ.example.test/a/b.jpg",
    "mathematical letters": "http://𝐛𝐥𝐨𝐜𝐤𝐞𝐝.example.test/a/b.jpg",
    "long s": "http://blocked.example.teſt/a/b.jpg",
    "soft hyphen": "http://blo\u00adcked.example.test/a/b.jpg",
    "zero width space": "http://blo\u200bcked.exam\u2060ple.test/a/b.jpg",
    "escaped soft hyphen": "http://blo%C2%ADcked.example.test/a/b.jpg",
    "escaped full width": "http://%EF%BD%82locked.example.test/a/b.jpg",
    "escaped host": "http://%62%6c%6F%63%6b%65%64.example.test/a/b.jpg",
    "escaped dot of the host": "http://blocked%2Eexample%2etest/a/b.jpg",
    "escaped path": "http://blocked.example.test/%61/%62%2E%6a%70%67",
    "path escaped twice": "http://blocked.example.test/%2561/%2562.jpg",
    "path escaped five times": "http://blocked.example.test/%2525252561/b.jpg",
    "digits of an escape escaped": "http://blocked.example.test/%%36%31/b.jpg",
    "escaped slash": "http://blocked.example.test/a%2fb.jpg",
    "escaped backslash": "http://blocked.example.test/a%5Cb.jpg",
    "escaped whole": "http%3A%2F%2Fblocked.example.test%2Fa%2Fb.jpg",
    "escaped whole, twice": "http%253A%252F%252Fblocked.example.test%252Fa%252Fb.jpg",
    "dot segment": "http://blocked.example.test/./a/./b.jpg",
    "dot-dot segment": "http://blocked.example.test/x/../a/b.jpg",
    "dot-dot above the root": "http://blocked.example.test/../../a/b.jpg",
    "escaped dot segments": "http://blocked.example.test/x/%2e%2E/%2e/a/b.jpg",
    "half escaped dots": "http://blocked.example.test/x/.%2e/a/b.jpg",
    "dots escaped twice": "http://blocked.example.test/x/%252e%252e/a/b.jpg",
    "doubled slashes": "http://blocked.example.test//a///b.jpg",
    "tab and line feed": "ht\ntp://blo\tcked.exam\rple.test/a/b.j\tpg",
    "control characters around": " \x00\x1fhttp://blocked.example.test/a/b.jpg\x1f \x7f",
    "invisible characters around": "\ufeff\u200bhttp://blocked.example.test/a/b.jpg\u00a0\u2003",
    "fragment": "http://blocked.example.test/a/b.jpg#top",
    "a fragment that looks like a user": "http://blocked.example.test/a/b.jpg#@benign.test/",
    "a fragment that looks like a query": "http://blocked.example.test/a/b.jpg#?x=1",
    "empty query": "http://blocked.example.test/a/b.jpg?",
    "empty query and fragment": "http://blocked.example.test/a/b.jpg?#",
}
CARRIERS = {
    "archive": "https://archive.test/web/2020id_/http://blocked.example.test/a/b.jpg",
    "archive, one slash": "https://archive.test/web/2020id_/http:/blocked.example.test/a/b.jpg",
    "archive of https": "https://archive.test/save/https://blocked.example.test/a/b.jpg",
    "query": "https://proxy.test/?url=http://blocked.example.test/a/b.jpg&w=300",
    "escaped query": "https://proxy.test/?url=http%3A%2F%2Fblocked.example.test%2Fa%2Fb.jpg&w=300",
    "query escaped twice": "https://proxy.test/?url=http%253A%252F%252Fblocked.example.test%252Fa%252Fb.jpg",
    "without scheme": "https://proxy.test/?w=3&url=//blocked.example.test/a/b.jpg",
    "backslashes": "https://proxy.test/?url=http:\\\\blocked.example.test\\a\\b.jpg",
    "another scheme": "https://proxy.test/?url=ftp://blocked.example.test/a/b.jpg",
    "in another": "https://a.test/?u=https://b.test/?u=http://blocked.example.test/a/b.jpg",
    "in a parameter, without scheme": "https://proxy.test/resize?w=3&url=blocked.example.test/a/b.jpg",
    "in a parameter, escaped": "https://proxy.test/?image_url=BLOCKED.example.test%2Fa%2Fb.jpg&w=3",
    "in a parameter, with port": "https://proxy.test/?src=blocked.example.test:8080/a/b.jpg",
    "behind WordPress's proxy": "https://i0.wp.com/blocked.example.test/a/b.jpg?ssl=1",
    "behind AMP's proxy": "https://cdn.ampproject.org/ii/w680/s/blocked.example.test/a/b.jpg",
    "behind AMP's proxy, as a host": "https://x-test.cdn.ampproject.org/i/s/blocked.example.test/a/b.jpg",
    "upper case": "https://proxy.test/HTTP://BLOCKED.example.test/a/b.jpg",
}
IP_SPELLINGS = {
    "as it is": "http://198.51.100.7/x",
    "hexadecimal": "http://0xC6.0x33.0x64.0x07/x",
    "octal": "http://0306.063.0144.07/x",
    "padded octal": "http://00000306.063.0144.07/x",
    "mixed": "http://0xc6.51.0144.7/x",
    "three parts": "http://198.51.25607/x",
    "two parts": "http://198.3367943/x",
    "one number": "http://3325256711/x",
    "one hexadecimal number": "http://0xC6336407/x",
    "one octal number": "http://030614662007/x",
    "trailing dot": "http://198.51.100.7./x",
    "trailing dots": "http://198.51.100.7../x",
    "escaped": "http://%31%39%38.51.100.7/x",
    "full width": "http://１９８.51.100.７/x",
    "ideographic dots": "http://198。51。100。7/x",
    "user and port": "http://u@198.51.100.7:8080/x",
    "no scheme": "198.51.100.7/x",
    "mapped": "http://[::ffff:198.51.100.7]/x",
    "mapped, hexadecimal": "http://[::FFFF:c633:6407]/x",
    "mapped, written out": "http://[0:0:0:0:0:ffff:c633:6407]/x",
    "translated": "http://[64:ff9b::198.51.100.7]/x",
    "6to4": "http://[2002:c633:6407::1]/x",
    "compatible": "http://[::198.51.100.7]/x",
    "carried": "https://proxy.test/?u=http://3325256711/x",
}
IP6_SPELLINGS = {
    "as it is": "http://[2001:db8::7]/x",
    "written out": "http://[2001:0db8:0000:0000:0000:0000:0000:0007]/x",
    "upper case": "http://[2001:DB8::7]/x",
    "zeros elsewhere": "http://[2001:db8:0:0::7]/x",
    "dotted end": "http://[2001:db8::0.0.0.7]/x",
    "port": "http://[2001:db8::7]:8080/x",
    "user": "http://u@[2001:db8::7]/x",
}


def url_list(folder: Path, text: str, name: str = "list-a", category: str = "csam", **more: Any) -> ListSource:
    """Write a list of URLs and return what a policy says of it."""
    path = folder / f"{name}.txt"
    path.write_text(text, encoding="utf-8")
    return ListSource(name, str(path), "urls", category, **more)


def compiled(folder: Path, source: ListSource) -> ListSource:
    """Build the list in a folder beside its text, and return what a policy then says of it."""
    from dataclasses import replace

    from filters.urllists import build_urls

    source = replace(source, key=f"file:{folder / source.name}.key")
    build_urls(source, str(folder / f"{source.name}.built"))
    return replace(source, path=str(folder / f"{source.name}.built"))
