"""A thousand texts that try to be more than text: to break out of markup, to run, to ask for something."""

from itertools import product

CLOSERS = (
    *("", '"', "'", '">', "'>", "`", "-->", "]]>", "</title>", "</style>", "</svg>", "</text>", "</td>"),
    *("</pre></details>", "</h1>", '"/>', "\n\t", "\x00", "&quot;>", "\u2028"),
)
VECTORS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<a href="javascript:alert(1)">x</a>',
    ' onmouseover="alert(1)" x="',
    " onfocus=alert(1) autofocus tabindex=1 ",
    "<style>*{display:none}</style>",
    '<link rel="stylesheet" href="http://127.0.0.1:9/a.css">',
    '<base href="http://127.0.0.1:9/">',
    '<meta http-equiv="refresh" content="0;url=http://127.0.0.1:9/">',
    '<math><mi xlink:href="javascript:alert(1)">x</mi></math>',
    "<details open ontoggle=alert(1)>",
    "<!--",
    "<![CDATA[<b>x</b>]]>",
    "<?xml version='1.0'?><b>x</b>",
    "<b id=owned>x</b>",
    '<object data="http://127.0.0.1:9/x"></object>',
    "<input autofocus onfocus=alert(1)>",
    "<ScRiPt/x>alert(1)</sCrIpT>",
    "<img/src=`x`onerror=alert(1)>",
    "</main></body></html><b>x</b>",
    "<textarea><noscript><plaintext>",
    "&lt;img src=x onerror=alert(1)&gt;",
    "{{ 7 * 7 }}{% raw %}<b>x</b>{% endraw %}",
)
PAYLOADS: tuple[str, ...] = tuple(
    dict.fromkeys(
        shaped
        for closer, vector in product(CLOSERS, VECTORS)
        for shaped in (closer + vector, "x" + closer + vector.upper())
    )
)[:1000]
