"""The words of a picture: its legend, its notes, and what boxes and wires say when pointed at."""

from __future__ import annotations

from corrente.words import Says, plain

LEGEND: dict[str, Says] = {
    "given": Says("given: data", "dado do problema"),
    "ours": Says("ours: parameters", "nosso: parâmetros"),
    "constant": Says("constant", "constante"),
    "gate": Says("gate", "porta"),
    "deciding": Says("only decides the path", "só decide o caminho"),
    "folded": Says("folded", "recolhido"),
    "value": Says("value, above the wire", "valor, acima do fio"),
    "gradient": Says("gradient, below the wire", "gradiente, abaixo do fio"),
    "local": Says("local gradient at that input", "gradiente local nessa entrada"),
    "fork": Says(
        "fork: copies the value, adds the gradients",
        "bifurcação: copia o valor, soma os gradientes",
    ),
}

RANGE = Says(
    "Arrays show their shape, min … max and their mean μ.",
    "Arranjos mostram a forma, mínimo … máximo e a média μ.",
)
ALARM = Says(
    "! marks NaN or infinity; they are left out of min, mean and max.",
    "! marca NaN ou infinito; ficam fora de mínimo, média e máximo.",
)
FUNCTIONS = Says("Folded – {0}.", "Recolhido – {0}.")
FUNCTION = Says("{0}: {1}", "{0}: {1}")
CALLS = Says("{0}, {1} times: {2}", "{0}, {1} vezes: {2}")
ONLY_DECIDE = (
    Says("{0}, 1 of which only decides", "{0}, 1 das quais só decide"),
    Says("{0}, {1} of which only decide", "{0}, {1} das quais só decidem"),
)
LEFT_OUT = (
    Says("1 gate that only decides is not drawn.", "1 porta que só decide não está desenhada."),
    Says(
        "{0} gates that only decide are not drawn.",
        "{0} portas que só decidem não estão desenhadas.",
    ),
)
FOLDED_STEPS = Says(
    "{0} of {1} gates are folded; the numbers shown are those of the whole circuit.",
    "{0} de {1} portas estão recolhidas; os números mostrados são os do circuito inteiro.",
)
FOLDED_INPUTS = Says(
    "{0} of {1} inputs and constants are not drawn one by one.",
    "{0} de {1} entradas e constantes não estão desenhadas uma a uma.",
)
FOLDED_OUTPUTS = Says("{0} of {1} outputs are folded.", "{0} de {1} saídas estão recolhidas.")

GATES = (Says("1 gate", "1 porta"), Says("{0} gates", "{0} portas"))
INPUTS = Says("{0} inputs", "{0} entradas")
OUTPUTS = Says("{0} outputs", "{0} saídas")
WIRES = Says("{0} wires", "{0} fios")
SUMMED = Says("sum of {0}", "soma de {0}")

GIVEN = Says("given: data, it receives no step", "dado do problema: não é ajustado")
OURS = Says("ours to change: a parameter", "nosso para mudar: um parâmetro")
CONSTANT = Says("a constant of the program", "uma constante do programa")
OUTPUT = Says("output of {0}", "saída de {0}")
FORK = Says(
    "{0} is read {1} times: forward its value is copied, backward the gradients add up",
    "{0} é lido {1} vezes: para a frente o valor é copiado, para trás os gradientes se somam",
)
BACKWARD = Says("backward: {0}", "para trás: {0}")
VALUE = Says("value: {0}", "valor: {0}")
GRADIENT = Says("gradient: {0}", "gradiente: {0}")
LOCAL = Says("local gradient of input {0}: {1}", "gradiente local da entrada {0}: {1}")
SENDER = Says("{0}, input {1}", "{0}, entrada {1}")
READERS = Says("{0} readers, folded", "{0} leitores, recolhidos")
SEED = Says("output", "saída")
INSIDE = Says("inside: {0}", "dentro: {0}")
DECIDES = Says(
    "decides the path: this picture holds while it is {0}",
    "decide o caminho: este desenho vale enquanto for {0}",
)

TITLE = Says("Circuit of {0}", "Circuito de {0}")
DESCRIPTION = Says("{0} takes {1} and gives {2} in {3}.", "{0} recebe {1} e dá {2} em {3}.")
GRADIENTS = Says("Gradients: {0}.", "Gradientes: {0}.")
STEPS = (Says("1 step", "1 passo"), Says("{0} steps", "{0} passos"))
AND_MORE = Says("{0} more", "mais {0}")
NOTHING = Says("nothing", "nada")


def thin(many: int) -> Says:
    """Write a number with thin groups of thousands."""
    return plain(f"{many:_}".replace("_", "\N{NO-BREAK SPACE}"))


def count(many: int, says: Says) -> Says:
    """Put a number with thin groups of thousands into a sentence."""
    return says.fill(thin(many))


def counted(many: int, one_or_more: tuple[Says, Says]) -> Says:
    """Say how many there are, in the singular or the plural."""
    return count(many, one_or_more[many != 1])
