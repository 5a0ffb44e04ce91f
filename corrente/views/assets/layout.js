// Layered drawing of a directed graph with ports: the rules of corrente/layout.py once more, for
// curves. The same nodes and edges give the same places, and a test holds the two together.

const SPACING = { between: 18, gap: 34, wire: 10 };
const ORDER_ROUNDS = 12, HEIGHT_ROUNDS = 15, SWAPPABLE = 1500, EAGER = 1.25;

/** Lay out nodes {width, height, ins, outs, reach} and edges {tail, port, head, slot}. */
function arrange(nodes, edges) {
  const layer = assignLayers(nodes, edges);
  const graph = split(nodes, edges, layer);
  const rows = orderRows(graph);
  const y = align(graph, rows);
  return route(nodes, edges, graph, rows, y);
}

function assignLayers(nodes, edges) {
  const layer = nodes.map(() => 0);
  const heads = nodes.map(() => []);
  for (const edge of [...edges].sort((a, b) => a.head - b.head)) {
    layer[edge.head] = Math.max(layer[edge.head], layer[edge.tail] + 1);
    heads[edge.tail].push(edge.head);
  }
  for (let k = nodes.length - 1; k >= 0; k -= 1) {
    if (nodes[k].reach === null || !heads[k].length) continue;
    const latest = Math.min(...heads[k].map((head) => layer[head])) - 1;
    if (latest - layer[k] > nodes[k].reach) layer[k] = latest;
  }
  return layer;
}

/** Cut long edges into segments; edges that leave by one port share their dummies. */
function split(nodes, edges, given) {
  const layer = [...given], height = nodes.map((node) => node.height);
  const trunks = new Map(), segments = new Map(), chains = [];
  for (const edge of edges) {
    const chain = [edge.tail];
    for (let level = layer[edge.tail] + 1; level < layer[edge.head]; level += 1) {
      const key = `${edge.tail} ${edge.port} ${level}`;
      if (!trunks.has(key)) {
        trunks.set(key, layer.length);
        layer.push(level);
        height.push(0);
      }
      chain.push(trunks.get(key));
    }
    chain.push(edge.head);
    chains.push(chain);
    for (let k = 0; k + 1 < chain.length; k += 1) {
      const [tail, head] = [chain[k], chain[k + 1]];
      const leaves = tail === edge.tail ? nodes[tail].outs[edge.port] : 0;
      const enters = head === edge.head ? nodes[head].ins[edge.slot] : 0;
      segments.set(`${tail} ${leaves} ${head} ${enters}`, { tail, leaves, head, enters });
    }
  }
  const lefts = layer.map(() => []), rights = layer.map(() => []);
  for (const segment of segments.values()) {
    rights[segment.tail].push(segment);
    lefts[segment.head].push(segment);
  }
  return { real: nodes.length, layer, height, chains, lefts, rights };
}

// --- order within layers: barycentres of ports, then swaps of neighbours

function orderRows(graph) {
  const rows = Array.from({ length: Math.max(-1, ...graph.layer) + 1 }, () => []);
  graph.layer.forEach((level, item) => rows[level].push(item));
  let best = rows.map((row) => [...row]);
  let fewest = crossings(graph, rows);
  for (let turn = 0; turn < ORDER_ROUNDS && fewest > 0; turn += 1) {
    sweepRows(graph, rows, turn % 2 === 0);
    const count = crossings(graph, rows);
    if (count < fewest) [best, fewest] = [rows.map((row) => [...row]), count];
  }
  if (fewest && graph.layer.length <= SWAPPABLE) swapRows(graph, best);
  return best;
}

function ranks(rows) {
  const found = new Map();
  for (const row of rows) row.forEach((item, rank) => found.set(item, rank));
  return found;
}

/** Return the place of a segment's far end: the item's rank and, within it, the port. */
function placeOf(graph, rank, segment, tail) {
  const [item, offset] = tail ? [segment.tail, segment.leaves] : [segment.head, segment.enters];
  return rank.get(item) + (offset + 1) / (graph.height[item] + 2);
}

function sweepRows(graph, rows, forward) {
  const last = rows.length - 1;
  for (let n = 1; n <= last; n += 1) {
    const level = forward ? n : last - n;
    const rank = ranks([rows[forward ? level - 1 : level + 1]]);
    const centres = new Map();
    for (const item of rows[level]) {
      const those = forward ? graph.lefts[item] : graph.rights[item];
      if (those.length) centres.set(item, those.reduce((sum, s) => sum + placeOf(graph, rank, s, forward), 0) / those.length);
    }
    const moving = [...centres.keys()].sort((a, b) => centres.get(a) - centres.get(b));
    let next = 0;
    rows[level] = rows[level].map((item) => (centres.has(item) ? moving[next++] : item));
  }
}

function crossings(graph, rows) {
  const rank = ranks(rows);
  let total = 0;
  for (const row of rows) {
    const ends = [];
    for (const item of row) for (const s of graph.rights[item]) ends.push([placeOf(graph, rank, s, true), placeOf(graph, rank, s, false)]);
    ends.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const seenEnds = [];
    for (const [, end] of ends) {
      const at = bisectRight(seenEnds, end);
      total += seenEnds.length - at;
      seenEnds.splice(at, 0, end);
    }
  }
  return total;
}

function bisectRight(sorted, value) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value < sorted[middle]) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Exchange neighbours while that removes crossings. */
function swapRows(graph, rows) {
  const rank = ranks(rows);
  const sides = (item) => [
    graph.lefts[item].map((s) => placeOf(graph, rank, s, true)),
    graph.rights[item].map((s) => placeOf(graph, rank, s, false)),
  ];
  const count = (one, other) => [0, 1].reduce((sum, i) => sum + one[i].reduce((n, a) => n + other[i].filter((b) => a > b).length, 0), 0);
  for (let round = 0; round < ORDER_ROUNDS; round += 1) {
    let swapped = false;
    for (const row of rows) {
      for (let k = 0; k + 1 < row.length; k += 1) {
        const [upper, lower] = [sides(row[k]), sides(row[k + 1])];
        if (count(lower, upper) < count(upper, lower)) {
          [row[k], row[k + 1]] = [row[k + 1], row[k]];
          rank.set(row[k], k).set(row[k + 1], k + 1);
          swapped = true;
        }
      }
    }
    if (!swapped) break;
  }
}

// --- coordinates: weighted medians, kept apart by isotonic regression

function align(graph, rows) {
  const y = graph.layer.map(() => 0);
  const put = (row, tops) => row.forEach((item, k) => { y[item] = tops[k]; });
  for (const row of rows) put(row, offsets(graph, row));
  for (let turn = 0; turn < HEIGHT_ROUNDS; turn += 1) {
    const forward = turn % 2 === 0, both = turn >= HEIGHT_ROUNDS - 5;
    for (const row of forward ? rows : [...rows].reverse()) put(row, settle(graph, row, row.map((item) => wanted(graph, y, item, forward, both))));
    if (both) for (const row of rows) straighten(graph, row, y, put);
  }
  const least = y.length ? y.reduce((a, b) => Math.min(a, b)) : 0;
  return y.map((top) => top - least);
}

function straighten(graph, row, y, put) {
  put(row, settle(graph, row, row.map((item) => {
    const dummy = item >= graph.real;
    if (dummy || !graph.lefts[item].length || !graph.rights[item].length) return [wanted(graph, y, item, true, !dummy)[0], 1];
    return [y[item], 1e6];
  })));
}

/** Return where an item would make its wires level, and how much that matters. */
function wanted(graph, y, item, forward, both) {
  const two = both && item < graph.real;
  const pulls = [];
  if (forward || two) for (const s of graph.lefts[item]) pulls.push([y[s.tail] + s.leaves - s.enters, (forward ? EAGER : 1) * weight(graph, s)]);
  if (!forward || two) for (const s of graph.rights[item]) pulls.push([y[s.head] + s.enters - s.leaves, (forward ? 1 : EAGER) * weight(graph, s)]);
  if (!pulls.length) return [y[item], 0.1];
  return [median(pulls), pulls.reduce((sum, [, heavy]) => sum + heavy, 0)];
}

/** Weigh a segment: long wires want most to be level, a lone source's wire least. */
function weight(graph, s) {
  const dummies = (s.tail >= graph.real) + (s.head >= graph.real);
  if (dummies) return 4 * dummies;
  if (!lone(graph, s.tail)) return 2;
  return graph.lefts[s.head].every((other) => lone(graph, other.tail)) ? 1.5 : 0.5;
}

const lone = (graph, item) => !graph.lefts[item].length && graph.rights[item].length === 1;

function median(pulls) {
  pulls.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const half = pulls.reduce((sum, [, heavy]) => sum + heavy, 0) / 2;
  let reached = 0;
  for (let k = 0; k < pulls.length; k += 1) {
    reached += pulls[k][1];
    if (reached > half) return pulls[k][0];
    if (reached === half) return (pulls[k][0] + pulls[k + 1][0]) / 2;
  }
  return pulls[pulls.length - 1][0];
}

/** Put a layer's items nearest to where they want to be, in order and apart; whole numbers. */
function settle(graph, row, wants) {
  const blocks = [];
  const offset = offsets(graph, row);
  wants.forEach(([place, heavy], k) => {
    let [mean, total, count] = [place - offset[k], heavy, 1];
    while (blocks.length && blocks[blocks.length - 1][0] >= mean) {
      const [above, weighs, many] = blocks.pop();
      mean = (mean * total + above * weighs) / (total + weighs);
      total += weighs;
      count += many;
    }
    blocks.push([mean, total, count]);
  });
  const tops = blocks.flatMap(([mean, , count]) => Array(count).fill(Math.floor(mean) + (mean - Math.floor(mean) >= 0.5 ? 1 : 0)));
  return tops.map((top, k) => top + offset[k]);
}

function offsets(graph, row) {
  const found = row.length ? [0] : [];
  for (let k = 0; k + 1 < row.length; k += 1) {
    const apart = Math.min(row[k], row[k + 1]) < graph.real ? SPACING.between : SPACING.wire;
    found.push(found[k] + (graph.height[row[k]] || SPACING.wire) + apart);
  }
  return found;
}

// --- routes

function route(nodes, edges, graph, rows, y) {
  const wide = rows.map((row) => Math.max(0, ...row.filter((item) => item < graph.real).map((item) => nodes[item].width)));
  const starts = [];
  let start = 0;
  rows.forEach((row, level) => {
    starts.push(start);
    let steepest = 0;
    for (const item of row) for (const s of graph.rights[item]) steepest = Math.max(steepest, Math.abs(y[s.head] + s.enters - (y[s.tail] + s.leaves)));
    start += wide[level] + SPACING.gap + Math.min(steepest / 6, SPACING.gap);
  });
  const width = rows.length ? starts[starts.length - 1] + wide[wide.length - 1] : 0;
  const x = nodes.map((_, item) => starts[graph.layer[item]]);
  const routes = edges.map((edge, e) => {
    const chain = graph.chains[e];
    const leaves = nodes[edge.tail].outs[edge.port];
    const points = [[x[edge.tail] + nodes[edge.tail].width, y[edge.tail] + leaves]];
    for (let k = 0; k + 1 < chain.length; k += 1) {
      const [tail, head] = [chain[k], chain[k + 1]];
      const level = graph.layer[tail];
      const end = y[head] + (head === edge.head ? nodes[head].ins[edge.slot] : 0);
      points.push([starts[level] + wide[level], y[tail] + (tail === edge.tail ? leaves : 0)], [starts[level + 1], end]);
    }
    return simplified(points);
  });
  const height = y.reduce((low, top, item) => Math.max(low, top + (graph.height[item] || SPACING.wire)), 0);
  return { layers: graph.layer.slice(0, nodes.length), x, y: y.slice(0, nodes.length), routes, width, height };
}

/** Drop points that repeat, and those in the middle of a straight run. */
function simplified(points) {
  const found = [];
  for (const point of points) {
    const last = found[found.length - 1], before = found[found.length - 2];
    if (last && last[0] === point[0] && last[1] === point[1]) continue;
    const level = before && before[1] === last[1] && last[1] === point[1];
    const upright = before && before[0] === last[0] && last[0] === point[0];
    if (level || upright) found[found.length - 1] = point;
    else found.push(point);
  }
  return found;
}
