"""The gallery's page and pictures, made from `examples/gallery.py`: code, numbers and drawings."""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import corrente as co
from corrente.numerals import norm, number
from corrente.scene import lay_out
from corrente.views import svg
from corrente.words import LANGUAGES, Says

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent / "examples"))
from gallery import CIRCUITS  # noqa: E402  # examples are files, not a package

PICTURES = DOCS / "pictures" / "gallery"


def made_files() -> Iterator[tuple[Path, str]]:
    """Make the page in both languages, and the drawing of every circuit in both."""
    for lang in LANGUAGES:
        yield DOCS / f"gallery{ENDINGS[lang]}.md", page(lang)
        for name in CIRCUITS:
            drawing = svg.draw(lay_out(traced(name).run, lang=lang))
            yield PICTURES / f"{name}{ENDINGS[lang]}.svg", drawing + "\n"


ENDINGS = {"en": "", "pt": ".pt"}


@cache
def traced(name: str) -> co.Program:
    """Trace a circuit of the gallery where it is looked at."""
    return CIRCUITS[name].trace()


# --- what is told of each circuit ---------------------------------------------------------------


class Exhibit(NamedTuple):
    """A circuit of the gallery: title, and what one sees and learns, with numbers to fill in."""

    name: str
    title: Says
    tells: Says
    numbers: Callable[[co.Program], tuple[Any, ...]]


def _first(t: co.Program) -> tuple[Any, ...]:
    return (t["q"].value, *t.grads)


def _neuron(t: co.Program) -> tuple[Any, ...]:
    return (t.value, t.value * (1 - t.value), *t.grads)


def _staged(t: co.Program) -> tuple[Any, ...]:
    parts = [part.value for part in t.run.contributions[0]]
    assert len(parts) == 3
    assert np.isclose(sum(parts), t.grads[0])
    return (len(t.circuit.steps), *parts, t.grads[0])


def _mixed(t: co.Program) -> tuple[Any, ...]:
    assert t.grads[3] == 0
    return t.grads


def _fork(t: co.Program) -> tuple[Any, ...]:
    first, second = (part.value for part in t.run.contributions[0])
    return (first, second, *t.grads)


def _moons(t: co.Program) -> tuple[Any, ...]:
    silent = [f"{100 * np.mean(t[name].value == 0):.0f}" for name in ("h1", "h2", "margins")]
    return (t.value, *silent, *(norm(slope) for slope in t.grads[::2]))


def _batch_norm(t: co.Program) -> tuple[Any, ...]:
    assert np.abs(np.sum(t.grads[0], axis=0)).max() < 1e-12
    came = np.sum(t["xhat"].grad, axis=0)
    assert np.ptp(came) < 1e-3
    return (np.round(came[0], 2), norm(t["xhat"].grad), norm(t.grads[0]))


def _lstm_step(t: co.Program) -> tuple[Any, ...]:
    kept = np.sort(t["f"].value)
    return (
        *(f"{each:.2f}" for each in kept),
        number(float(f"{kept[0] ** 10:.0e}")),
        f"{kept[-1] ** 10:.2f}",
    )


def _attention_head(t: co.Program) -> tuple[Any, ...]:
    weights = t["weights"].value
    assert np.allclose(np.sum(weights, axis=1), 1.0)
    assert np.abs(np.sum(t["scores"].grad, axis=1)).max() < 1e-12
    return (f"{weights.max():.2f}", *(norm(slope) for slope in t.grads))


EXHIBITS = (
    Exhibit(
        "first",
        Says("The first circuit of the notes", "O primeiro circuito das notas"),
        Says(
            "`+` makes q = {0}, and `×` makes the result from it. On the way back `×` switches: q "
            "receives the value of z, {1}, and z the value of q, {3}. `+` hands what reached q "
            "to both sides unchanged, so x and y both receive {1}: the chain rule in two gates.",
            "`+` faz q = {0}, e dele `×` faz o resultado. Na volta `×` troca: q recebe o valor de "
            "z, {1}, e z o valor de q, {3}. `+` entrega aos dois lados, sem mudança, o que chegou "
            "a q, e por isso x e y recebem {1}: a regra da cadeia em duas portas.",
        ),
        _first,
    ),
    Exhibit(
        "neuron",
        Says("The neuron", "O neurônio"),
        Says(
            "Inputs are data and drawn with a broken outline: no gradient goes there. Where the "
            "score enters, the last four gates together pass on {1}: that is (1 − σ)·σ, with the "
            "output σ = {0}. Each weight then receives that times its input: {2}, {3} and, for "
            "the bias, {4}.",
            "As entradas são dados, de contorno tracejado: nenhum gradiente vai para lá. Onde a "
            "pontuação entra, as quatro últimas portas juntas deixam passar {1}: é (1 − σ)·σ, com "
            "a saída σ = {0}. Cada peso recebe isso vezes a sua entrada: {2}, {3} e, para o viés, "
            "{4}.",
        ),
        _neuron,
    ),
    Exhibit(
        "staged",
        Says("A formula nobody wants to differentiate", "Uma fórmula que ninguém quer derivar"),
        Says(
            "One line of code, {0} gates. x is read in three places, so three contributions come "
            "back to it, {1}, {2} and {3}, and the fork adds them to {4}. Whoever writes `=` "
            "for `+=` there keeps one of the three. Nobody needs the formula of the whole.",
            "Uma linha de código, {0} portas. x é lido em três lugares, e por isso voltam a ele "
            "três contribuições, {1}, {2} e {3}, que a bifurcação soma: {4}. Quem escreve `=` no "
            "lugar de `+=` fica com uma das três. Ninguém precisa da fórmula do todo.",
        ),
        _staged,
    ),
    Exhibit(
        "mixed",
        Says("Add, max and multiply", "Soma, máximo e multiplicação"),
        Says(
            "Three characters in one circuit. `+` distributes: the same {2} goes both ways. `max` "
            "routes all of it to z, the winner, and {3} to w, which could change a little without "
            "anybody noticing. `×` switches its inputs: x receives {0} and y receives {1}.",
            "Três temperamentos num circuito. `+` distribui: os mesmos {2} vão para os dois lados. "
            "`max` encaminha tudo a z, o vencedor, e {3} a w, que poderia mudar um pouco sem que "
            "ninguém notasse. `×` troca as entradas: x recebe {0} e y recebe {1}.",
        ),
        _mixed,
    ),
    Exhibit(
        "fork",
        Says("The fork", "A bifurcação"),
        Says(
            "A value that is used twice forks, and the drawing says so with a Σ: it copies on the "
            "way there and adds on the way back. a receives {0} + {1} = {2}, and indeed the "
            "result is 4a.",
            "Um valor usado duas vezes se bifurca, e o desenho diz isso com um Σ: copia na ida e "
            "soma na volta. a recebe {0} + {1} = {2}, e de fato o resultado é 4a.",
        ),
        _fork,
    ),
    Exhibit(
        "moons",
        Says("The moons network of micrograd", "A rede das luas do micrograd"),
        Says(
            "A 2-16-16-1 network before its first step, at a loss of {0}. {1} % of the first "
            "hidden layer and {2} % of the second are 0: through those no gradient returns, and "
            "of the points {3} % lie beyond the margin and teach nothing. Each W forks, into its "
            "layer and into the penalty; the norms of the three gradients are {4}, {5} and {6}.",
            "Uma rede 2-16-16-1 antes do primeiro passo, com perda {0}. {1} % da primeira camada "
            "oculta e {2} % da segunda são 0: por ali nenhum gradiente volta; e {3} % dos pontos "
            "estão além da margem e não ensinam nada. Cada W se bifurca, para a camada e para a "
            "penalidade; as normas dos três gradientes são {4}, {5} e {6}.",
        ),
        _moons,
    ),
    Exhibit(
        "batch-norm",
        Says("Batch normalisation", "Normalização por lote"),
        Says(
            "The mean is taken out of x, so x forks, and so does what is left, into the variance. "
            "The gradient that reaches xhat adds up to {0} in every column; what arrives at x "
            "adds up to 0, because adding one number to a whole column changes nothing. On the "
            "way the norm falls from {1} to {2}.",
            "A média é tirada de x, e por isso x se bifurca, e também o que sobra, para a "
            "variância. O gradiente que chega a xhat soma {0} em cada coluna; o que chega a x soma "
            "0, porque somar um número à coluna inteira não muda nada. No caminho a norma cai de "
            "{1} para {2}.",
        ),
        _batch_norm,
    ),
    Exhibit(
        "lstm-step",
        Says("One step of an LSTM", "Um passo de uma LSTM"),
        Says(
            "The state travels by one multiplication and one addition: what comes back to it is "
            "multiplied by the forget gate f, here {0}, {1} and {2}. Ten such steps would leave "
            "{3} of the gradient in the first place and {4} in the last: what a cell forgets, it "
            "cannot learn from.",
            "O estado viaja por uma multiplicação e uma soma: o que volta a ele é multiplicado "
            "pela porta de esquecimento f, aqui {0}, {1} e {2}. Dez passos assim deixariam {3} do "
            "gradiente na primeira posição e {4} na última: do que uma célula esquece, ela não "
            "consegue aprender.",
        ),
        _lstm_step,
    ),
    Exhibit(
        "attention-head",
        Says("An attention head", "Uma cabeça de atenção"),
        Says(
            "Each row of weights adds up to 1, so each row of the gradient at the scores adds up "
            "to 0: to look more at one place is to look less at the others. The greatest weight "
            "is {0}. x enters three products, and none of them sends anything back to it: x is "
            "data. The norms of the gradients of Q, K and V are {1}, {2} and {3}.",
            "Cada linha de pesos soma 1, e por isso cada linha do gradiente nas pontuações soma 0: "
            "olhar mais para um lugar é olhar menos para os outros. O maior peso é {0}. x entra em "
            "três produtos, e nenhum lhe manda nada de volta: x é dado. As normas dos gradientes "
            "de Q, K e V são {1}, {2} e {3}.",
        ),
        _attention_head,
    ),
)


# --- the page -----------------------------------------------------------------------------------

OPENING = Says(
    """# The gallery

<!-- Made by docs/make_pages.py from examples/gallery.py: change the example, not this page. -->

Nine circuits, from two gates to a head of attention, each a plain NumPy function at a point. Every
number on this page was measured when the page was made. `python examples/gallery.py FOLDER` checks
each gradient against differences of values and draws each circuit as terminal text, SVG, page,
LaTeX and JSON; `python docs/make_screenshots.py` takes the pictures of the pages.

*Em português: [A galeria](gallery.pt.md).*
""",
    """# A galeria

<!-- Feita por docs/make_pages.py a partir de examples/gallery.py: mude o exemplo, não a página. -->

Nove circuitos, de duas portas a uma cabeça de atenção, cada um uma função NumPy comum num ponto.
Cada número desta página foi medido quando ela foi feita. `python examples/gallery.py PASTA`
confere cada gradiente com diferenças de valores e desenha cada circuito como texto de terminal,
SVG, página, LaTeX e JSON; `python docs/make_screenshots.py` tira os retratos das páginas.

*In English: [The gallery](gallery.md).*
""",
)
DRAWING = Says("the circuit: {0}", "o circuito: {0}")
LIGHT = Says("the page, light", "a página, clara")
DARK = Says("the page, dark", "a página, escura")
CLOSING = Says(
    """## More ways to look

In a **terminal**, `t.show()` or `corrente "(x + y) * z" x=-2 y=5 z=-4`:

![The first circuit in a terminal](screenshots/terminal.svg)

In a **notebook**, a program draws itself, and `t.widget()` is the living page:

[![A notebook with both](screenshots/notebook.png)](screenshots/notebook.png)

In the **page**, step by step: the neuron in the middle of its backward pass. What is not yet known
is dim, and the sentence tells the step.

[![The neuron, two gates back](screenshots/neuron-step.png)](screenshots/neuron-step.png)

A gradient is a slope. Under the circuit the page draws the **tangent** along one input, and the
tangent plane along two: here the neuron along w0, then along w0 and w1.

![A curve and its tangent](screenshots/tangent-line.png)

![A surface, its tangent plane and the gradient](screenshots/tangent-plane.png)

On a **telephone**:

![The page of the neuron on a narrow screen](screenshots/neuron-narrow.png)

An **exercise**, `corrente exercise --level 4 --open`: values first, then gradients, and a hint
where an answer is wrong.

[![An exercise with a wrong answer](screenshots/exercise.png)](screenshots/exercise.png)
""",
    """## Outros modos de ver

Num **terminal**, `t.show("pt")` ou `corrente "(x + y) * z" x=-2 y=5 z=-4 --lang pt`:

![O primeiro circuito num terminal](screenshots/terminal.pt.svg)

Num **notebook**, um programa se desenha sozinho, e `t.widget("pt")` é a página viva:

[![Um notebook com os dois](screenshots/notebook.pt.png)](screenshots/notebook.pt.png)

Na **página**, passo a passo: o neurônio no meio da passagem para trás. O que ainda não se sabe fica
apagado, e a frase conta o passo.

[![O neurônio, na volta](screenshots/neuron-step.pt.png)](screenshots/neuron-step.pt.png)

Um gradiente é uma inclinação. Abaixo do circuito a página desenha a **tangente** ao longo de uma
entrada, e o plano tangente ao longo de duas: aqui o neurônio ao longo de w0, depois ao longo de
w0 e w1.

![Uma curva e a sua tangente](screenshots/tangent-line.pt.png)

![Uma superfície, o seu plano tangente e o gradiente](screenshots/tangent-plane.pt.png)

Num **telefone**:

![A página do neurônio numa tela estreita](screenshots/neuron-narrow.pt.png)

Um **exercício**, `corrente exercise --level 4 --open --lang pt`: primeiro os valores, depois os
gradientes, e uma dica onde a resposta está errada.

[![Um exercício com uma resposta errada](screenshots/exercise.pt.png)](screenshots/exercise.pt.png)
""",
)


def page(lang: str) -> str:
    """Write the page in one language."""
    parts = [OPENING, *(exhibit(each, lang) for each in EXHIBITS), CLOSING]
    return "\n".join(part.into(lang) if isinstance(part, Says) else part for part in parts)


def exhibit(each: Exhibit, lang: str) -> str:
    """Write one circuit: code, what it teaches, the drawing, the page in light and in dark."""
    name, title, ending = each.name, each.title.into(lang), ENDINGS[lang]
    source = inspect.getsource(CIRCUITS[name].function).rstrip()
    numbers = [x if isinstance(x, str) else number(x) for x in each.numbers(traced(name))]
    told = textwrap.fill(each.tells.fill(*numbers).into(lang), 100, break_on_hyphens=False)
    drawing = DRAWING.fill(title).into(lang)
    heads = [says.into(lang) for says in (LIGHT, DARK)]
    shots = [f"screenshots/{name}-{light}{ending}.png" for light in ("light", "dark")]
    views = [_picture(f"{h}: {title}", shot) for h, shot in zip(heads, shots, strict=True)]
    return f"""## {title}

```python
{source}
```

{told}

{_picture(drawing, f"pictures/gallery/{name}{ending}.svg")}

| {" | ".join(heads)} |
|---|---|
| {" | ".join(views)} |
"""


def _picture(about: str, path: str) -> str:
    """Show a picture that opens large."""
    return f"[![{about}]({path})]({path})"
