"""Usage: what the command line tells when it is asked for help."""

from __future__ import annotations

from corrente.words import Says

HELP = Says(
    en="""\
Backpropagation seen as a circuit: values go forward, gradients come back.

usage: corrente EXPRESSION [NAME=VALUE ...] [options]
       corrente view FILE.py:FUNCTION [NAME=VALUE ...] [options]
       corrente diagnose FILE.py:FUNCTION|EXPRESSION [NAME=VALUE ...] [options]
       corrente check FILE.py[:PASS] [NAME=VALUE ...]
       corrente exercise | train | predict             (each tells more with --help)

The first form draws an expression of NumPy functions and lists its gradients. The expression is
read against a white list; it is never run as Python. Numbers are floats, * multiplies element by
element and @ multiplies matrices, ** is a power, x[0] and x[:, 1:3] index; pi, e, inf and nan are
known; max(x, y) and min(x, y) choose element by element.

The second form imports FILE.py, which RUNS THE CODE IN IT, and traces one call of FUNCTION.
Open only files that you trust.

values:
  x=-2   x=1.5e3   x=pi/2        a number
  W=[[1,2],[3,4]]                an array, as JSON
  X=@data.npy   X=@data.npz:key  an array from a file

options:
  --wrt NAMES    differentiate only these arguments: --wrt x,y
  --save PATH    write the drawing as well: .html, .svg, .tex, .txt or .json; may be repeated
  --rate NUMBER  with diagnose: judge this learning rate
  --explain      tell both passes step by step
  --listing      with view: the source, with values and gradients in the margin
  --focus NAME   draw only what lies around a wire
  --radius N     with --focus: how many gates each way; 2 if not given
  --json         print everything as JSON, and nothing else
  --open         open the living page in a browser
  --ascii        draw with plain characters
  --lang LANG    en or pt
  --version      print the version
  --help         print this

examples:
  corrente "(x + y) * z" x=-2 y=5 z=-4
  corrente "sum((W @ x - y)**2)" W="[[1,2],[3,4]]" x="[1,-1]" y="[0,1]" --wrt W
  corrente "-log(1/(1 + exp(-w*x)))" w=2 x=-1 --explain --save neuron.svg
  corrente view model.py:loss W=@weights.npy X=@data.npz:X --listing

Exit status: 0 when all went well, 1 when diagnose or check found something,
2 when something in the input is wrong.""",
    pt="""\
Retropropagação vista como circuito: os valores vão para a frente, os gradientes voltam.

uso: corrente EXPRESSÃO [NOME=VALOR ...] [opções]
     corrente view ARQUIVO.py:FUNÇÃO [NOME=VALOR ...] [opções]
     corrente diagnose ARQUIVO.py:FUNÇÃO|EXPRESSÃO [NOME=VALOR ...] [opções]
     corrente check ARQUIVO.py[:PASSO] [NOME=VALOR ...]
     corrente exercise | train | predict             (cada um conta mais com --help)

A primeira forma desenha uma expressão de funções do NumPy e lista os seus gradientes. A expressão
é lida segundo uma lista branca; nunca é executada como Python. Os números são reais, * multiplica
elemento a elemento e @ multiplica matrizes, ** é potência, x[0] e x[:, 1:3] indexam; pi, e, inf e
nan são conhecidos; max(x, y) e min(x, y) escolhem elemento a elemento.

A segunda forma importa ARQUIVO.py, o que EXECUTA O CÓDIGO DELE, e traça uma chamada de FUNÇÃO.
Abra só arquivos em que você confia.

valores:
  x=-2   x=1.5e3   x=pi/2            um número
  W=[[1,2],[3,4]]                    um array, em JSON
  X=@dados.npy   X=@dados.npz:chave  um array de um arquivo

opções:
  --wrt NOMES    deriva só em relação a estes argumentos: --wrt x,y
  --save CAMINHO grava também o desenho: .html, .svg, .tex, .txt ou .json; pode ser repetida
  --rate NÚMERO  com diagnose: julga esta taxa de aprendizado
  --explain      conta as duas passagens, passo a passo
  --listing      com view: o código-fonte, com valores e gradientes na margem
  --focus NOME   desenha só o que está em volta de um fio
  --radius N     com --focus: quantas portas para cada lado; 2 se não for dado
  --json         imprime tudo em JSON, e nada mais
  --open         abre a página viva no navegador
  --ascii        desenha com caracteres simples
  --lang LÍNGUA  en ou pt
  --version      imprime a versão
  --help         imprime isto

exemplos:
  corrente "(x + y) * z" x=-2 y=5 z=-4
  corrente "sum((W @ x - y)**2)" W="[[1,2],[3,4]]" x="[1,-1]" y="[0,1]" --wrt W
  corrente "-log(1/(1 + exp(-w*x)))" w=2 x=-1 --explain --save neuronio.svg
  corrente view modelo.py:perda W=@pesos.npy X=@dados.npz:X --listing

Estado de saída: 0 quando tudo correu bem, 1 quando diagnose ou check achou algo,
2 quando algo na entrada está errado.""",
)
