"""breaks.py: all the small ways in which one source file can be broken.

C is read as tokens, and functions as statements: enough for the style of this house, and what it gets wrong does
not compile and counts for nothing. A break is one replacement of a stretch of the text.
"""

import collections
import re

Token = collections.namedtuple("Token", "kind text at end")  # kind: name, number, text, op
Break = collections.namedtuple("Break", "function kind at end new")

TOKEN = re.compile(
    r"(?P<skip>\s+|/\*.*?\*/|//[^\n]*|^[ \t]*\#(?:[^\n\\]|\\\n|\\.)*)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<number>\d\w*)|(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<op><<=|>>=|\.\.\.|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|.)", re.S | re.M)
KEYWORDS = {"return", "case", "if", "while", "for", "switch", "else", "do", "sizeof"}
TYPES = {"struct", "const", "static", "enum", "unsigned", "char", "int", "void", "bool"}
COMPARE = {"<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"], "==": ["!="], "!=": ["=="]}
ARITHMETIC = {"+": "-", "-": "+", "*": "/", "/": "*", "%": "/", "&": "|", "|": "&", "<<": ">>", ">>": "<<",
              "++": "--", "--": "++", "+=": "-=", "-=": "+=", "|=": "=", "&=": "|=", "*=": "/="}
SWAPS = {"earlier": "later_of", "later_of": "earlier", "shorter": "longer", "longer": "shorter", "plus": "minus",
         "minus": "plus", "after": "ago", "ago": "after", "before": "due", "due": "before", "true": "false",
         "false": "true", "NO_TIME": "FOREVER", "FOREVER": "NO_TIME", "NEVER": "((instant){0})", "NONE": "0",
         "EXIT_UNKNOWN": "0"}
LATER = {"span": "plus", "instant": "after"}
ORDERED = {"before", "due", "until", "minus"}  # calls whose two arguments have an order
OPEN, CLOSE = {"(": ")", "[": "]", "{": "}"}, {")", "]", "}"}


def tokens_of(text):
    return [Token(m.lastgroup, m.group(), m.start(), m.end()) for m in TOKEN.finditer(text) if m.lastgroup != "skip"]


def partners_of(tokens):
    """The index of every bracket's partner."""
    partner, stack = {}, []
    for i, token in enumerate(tokens):
        if token.text in OPEN:
            stack.append(i)
        elif token.text in CLOSE:
            partner[i] = stack.pop()
            partner[partner[i]] = i
    return partner


def successors(texts):
    """Each name of an enumeration leads to the next one of it."""
    following = {}
    for text in texts:
        for body in re.findall(r"\benum\b[^;{()]*\{([^}]*)\}", re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)):
            if "=" in body:
                continue
            names = [n for n in re.findall(r"\w+", body) if not n.endswith("_N") and n != "MISC_ALARMS"]
            for a, b in zip(names, names[1:] + names[:1]):
                if a != b:
                    following[a] = b
    return following


class Reader:
    def __init__(self, text, following):
        self.text, self.following = text, following
        self.tokens = tokens_of(text)
        self.partner = partners_of(self.tokens)
        self.breaks, self.function, self.returns = [], "", ""

    def add(self, kind, first, last, new):
        """Replaces the tokens from first to last (without last)."""
        at, end = self.tokens[first].at, self.tokens[last - 1].end if last > first else self.tokens[first].at
        self.breaks.append(Break(self.function, kind, at, end, new))

    def words(self, first, last):
        return self.text[self.tokens[first].at:self.tokens[last - 1].end] if last > first else ""

    def find(self, i, wanted):
        """The first of the wanted tokens at the depth of i."""
        while self.tokens[i].text not in wanted:
            i = self.partner[i] + 1 if self.tokens[i].text in OPEN else i + 1
        return i

    # ---- the file

    def file(self):
        i, start = 0, 0
        while i < len(self.tokens):
            text = self.tokens[i].text
            if text == "{":
                if i and self.tokens[i - 1].text == ")":
                    self.begin_function(start, self.partner[i - 1])
                    self.block(i)
                    self.function = ""
                    start = self.partner[i] + 1
                elif self.is_enum_of_numbers(start, i) or self.tokens[i - 1].text == "=":
                    self.function = "(top)"
                    self.expression(i, self.partner[i])
                    self.function = ""
                i = self.partner[i]
            elif text == ";":
                start = i + 1
            i += 1
        return self.breaks

    def is_enum_of_numbers(self, start, i):
        return self.tokens[start].text == "enum" and any(t.text == "=" for t in self.tokens[i:self.partner[i]])

    def begin_function(self, start, bracket):
        self.function = self.tokens[bracket - 1].text
        words = [t.text for t in self.tokens[start:bracket - 1]]
        self.returns = " ".join(w for w in words if w not in ("static", "inline", "NEARBY", "const"))

    # ---- statements

    def block(self, i):
        last, i = self.partner[i], i + 1
        while i < last:
            i = self.statement(i)

    def statement(self, i):
        """Reads one; the index of the one after it."""
        text = self.tokens[i].text
        if text == "{":
            self.block(i)
            return self.partner[i] + 1
        if text in ("case", "default"):
            colon = self.find(i, ":")
            self.add("case dropped", colon + 1, colon + 1, "break; ")
            return colon + 1
        if text in ("if", "while", "switch"):
            return self.controlled(i, text)
        if text == "for":
            return self.loop(i)
        if text == "else":
            return self.statement(i + 1)
        end = self.find(i, ";")
        if text == "return":
            self.returned(i, end)
        elif text in ("break", "continue"):
            self.add("statement dropped", i, end + 1, ";")
        elif self.is_declaration(i, end):
            self.declaration(i, end)
        elif end > i:
            self.add("statement dropped", i, end + 1, ";")
            self.expression(i, end)
        return end + 1

    def controlled(self, i, word):
        first, last = i + 2, self.partner[i + 1]
        if word != "switch":
            self.condition(first, last)
        self.expression(first, last)
        return self.statement(last + 1)

    def loop(self, i):
        first, last = i + 2, self.partner[i + 1]
        one = self.find(first, ";")
        two = self.find(one + 1, ";")
        if self.is_declaration(first, one):
            self.declaration(first, one)
        else:
            self.expression(first, one)
        if two > one + 1:
            self.condition(one + 1, two)
            self.expression(one + 1, two)
        self.expression(two + 1, last)
        return self.statement(last + 1)

    def condition(self, first, last):
        self.add("condition negated", first, last, "!(%s)" % self.words(first, last))

    def returned(self, i, end):
        words = self.words(i + 1, end)
        if end == i + 1:
            self.add("return dropped", i, end, "")
            return
        if self.returns == "bool":
            self.add("return value changed", i + 1, end, "!(%s)" % words)
        elif "int" in self.returns:
            self.add("return value changed", i + 1, end, "(%s) + 1" % words)
        elif self.returns in LATER and self.function not in LATER.values() and words not in ("NEVER", "FOREVER"):
            self.add("return value changed", i + 1, end, "%s(%s, MS(1))" % (LATER[self.returns], words))
        self.expression(i + 1, end)

    def is_declaration(self, i, end):
        one, two, three = self.tokens[i], self.tokens[i + 1], self.tokens[min(i + 2, end)]
        return one.text in TYPES or (one.kind == "name" and
                                     (two.kind == "name" or (two.text == "*" and three.kind == "name")))

    def declaration(self, i, end):
        """Only what stands behind an equals sign."""
        is_bool = self.tokens[i].text == "bool"
        while i < end:
            start = self.find_before(i, end, "=")
            if start is None:
                return
            stop = self.find_before(start + 1, end, ",") or end
            if is_bool:
                self.condition(start + 1, stop)
            self.expression(start + 1, stop)
            i = stop + 1

    def find_before(self, i, end, wanted):
        while i < end:
            if self.tokens[i].text == wanted:
                return i
            i = self.partner[i] + 1 if self.tokens[i].text in OPEN else i + 1
        return None

    # ---- expressions

    def expression(self, first, last):
        for i in range(first, last):
            token = self.tokens[i]
            if token.kind == "number":
                self.number(i)
            elif token.kind == "name":
                self.name(i, last)
            elif token.kind == "op":
                self.operator(i, first, last)

    def number(self, i):
        text = self.tokens[i].text
        if re.fullmatch(r"\d+[uUlL]*", text):
            digits = re.match(r"\d+", text).group()
            self.add("constant changed", i, i + 1, str(int(digits) + 1) + text[len(digits):])
            if digits != "0":
                self.add("constant changed", i, i + 1, str(int(digits) - 1) + text[len(digits):])

    def name(self, i, last):
        text, called = self.tokens[i].text, i + 1 < last and self.tokens[i + 1].text == "("
        if i and self.tokens[i - 1].text in (".", "->"):
            return
        if text in SWAPS:
            self.add("name swapped", i, i + 1, SWAPS[text])
        elif text in self.following:
            self.add("constant changed", i, i + 1, self.following[text])
        if text in ORDERED and called:
            comma, end = self.find_before(i + 2, self.partner[i + 1], ","), self.partner[i + 1]
            if comma:
                self.add("arguments swapped", i + 2, end, self.words(comma + 1, end) + ", " + self.words(i + 2, comma))

    def operator(self, i, first, last):
        text = self.tokens[i].text
        before = self.tokens[i - 1] if i else None
        is_binary = before is not None and (before.kind in ("number", "text") or before.text in (")", "]") or
                                            (before.kind == "name" and before.text not in KEYWORDS))
        for other in COMPARE.get(text, []):
            self.add("comparison changed", i, i + 1, other)
        if text in ("&&", "||"):
            self.add("and for or", i, i + 1, "||" if text == "&&" else "&&")
            self.operands(i, first, last)
        elif text in ARITHMETIC and (is_binary or text in ("++", "--")):
            self.add("operator changed", i, i + 1, ARITHMETIC[text])
        elif text == "!" or text == "~":
            self.add("negation dropped", i, i + 1, "")
        elif text == "?":
            self.choice(i, first)
        elif text == "." and before is not None and before.text in ("{", ","):
            self.initialiser(i, last)

    def back(self, i, first, stops):
        """Where the operand that ends before i begins."""
        while i > first and self.tokens[i - 1].text not in stops | set(OPEN) | {",", ";", "=", "return", "&=", "|="}:
            i = self.partner[i - 1] if self.tokens[i - 1].text in CLOSE else i - 1
        return i

    def forth(self, i, last, stops):
        while i < last and self.tokens[i].text not in stops | CLOSE | {",", ";"}:
            i = self.partner[i] + 1 if self.tokens[i].text in OPEN else i + 1
        return i

    def operands(self, i, first, last):
        op = self.tokens[i].text
        stops = {"?", ":", "||"} | ({"&&"} if op == "&&" else set())
        begin, end = self.back(i, first, stops), self.forth(i + 1, last, stops)
        self.add("condition dropped", i, end, "")
        if begin == first or self.tokens[begin - 1].text != op:
            self.add("condition dropped", begin, i + 1, "")

    def choice(self, i, first):
        begin = self.back(i, first, {"?", ":"})
        self.add("condition negated", begin, i, "!(%s)" % self.words(begin, i))

    def initialiser(self, i, last):
        end = self.forth(i, last, set())
        if end < last and self.tokens[end].text == ",":
            end += 1
        self.add("initialiser dropped", i, end, "")


def lines_of(text, at, end):
    """The whole lines around a stretch, as one line of words."""
    return " ".join(text[text.rfind("\n", 0, at) + 1:(text.find("\n", end) + len(text) + 1) % (len(text) + 1)].split())


def breaks_of(text, following):
    """(break, identity) of every way; an identity is function, old and new lines, and a number where these recur."""
    seen, result = collections.Counter(), []
    for it in Reader(text, following).file():
        broken = text[:it.at] + it.new + text[it.end:]
        key = (it.function, lines_of(text, it.at, it.end), lines_of(broken, it.at, it.at + len(it.new)))
        if key[1] == key[2]:
            continue
        seen[key] += 1
        result.append((it, key + (seen[key],)))
    return result
