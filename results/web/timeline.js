'use strict';
// Every operation of a run on one canvas: density when much is in view, boxes, boxes with words.
// Above the lanes, always: findings, faults, leaders. Knows nothing of the page but its canvas; tells
// others of its view and selection through onView and onSelect.
class Timeline {
  constructor(canvas, data, ops) {
    Object.assign(this, {canvas, data, ops, lanesBy: 'client', mask: null, shown: ops.n});
    this.onView = this.onSelect = this.onHover = () => {};
    this.span = [Math.min(0, ops.first), Math.max(ops.last, 0.001) * 1.005];
    this.view = [...this.span];
    this.selected = this.hovered = -1;
    this.witness = new Map();
    for (const finding of data.findings)
      for (const id of finding.ops) this.witness.set(ops.find(id), finding);
    this.witness.delete(-1);
    this.silences = new Map();  // by node: from, to
    for (const [at, node, answers] of data.samples) {
      const known = this.silences.get(node) ?? [], last = known.at(-1);
      if (!answers && !(last && last[1] === Infinity)) known.push([at, Infinity]);
      if (answers && last && last[1] === Infinity) last[1] = at;
      this.silences.set(node, known);
    }
    this.listen();
    new ResizeObserver(() => this.draw()).observe(canvas.parentElement);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  // What the canvas shows.
  setView(from, to, quiet) {
    const least = 0.0005, whole = this.span[1] - this.span[0];
    let width = Math.min(Math.max(to - from, least), whole);
    from = Math.min(Math.max(from, this.span[0]), this.span[1] - width);
    if (from === this.view[0] && from + width === this.view[1]) return;
    this.view = [from, from + width];
    this.draw();
    if (!quiet) this.onView(this.view);
  }
  zoom(factor, around) {
    const [a, b] = this.view;
    const at = around ?? (a + b) / 2;
    this.setView(at - (at - a) * factor, at + (b - at) * factor);
  }
  pan(share) {
    const width = this.view[1] - this.view[0];
    this.setView(this.view[0] + width * share, this.view[1] + width * share);
  }
  showAll() { this.setView(...this.span); }
  setLanes(by) { this.lanesBy = by; this.draw(); }
  select(i, reveal) {
    this.selected = i;
    if (reveal && i >= 0) {
      const {start, end} = this.ops;
      const until = isNaN(end[i]) ? start[i] : end[i];
      const inside = start[i] >= this.view[0] && until <= this.view[1];
      const room = Math.max(until - start[i], 0.05) * 8;
      if (!inside || this.view[1] - this.view[0] > 40 * room)
        this.setView(start[i] - room, until + room);
    }
    this.draw();
    this.onSelect(i);
  }
  nextFinding(step) {
    const all = [...this.data.findings].sort((a, b) => a.at - b.at);
    if (!all.length) return;
    const middle = (this.view[0] + this.view[1]) / 2;
    const known = all.findIndex((f) => f === this.finding);
    const whole = this.view[0] === this.span[0] && this.view[1] === this.span[1];
    const next = known >= 0 ? known + step : whole ? 0 : all.findIndex((f) => f.at > middle);
    this.showFinding(all[(next + all.length) % all.length]);
  }
  showFinding(finding) {
    this.finding = finding;
    const ids = finding.ops.map((id) => this.ops.find(id)).filter((i) => i >= 0);
    const from = Math.min(finding.at, ...ids.map((i) => this.ops.start[i]));
    const room = Math.max((finding.at - from) * 0.3, 0.02);
    this.setView(from - room, finding.at + room);
    const last = ids.find((i) => Math.abs(this.ops.end[i] - finding.at) < 2e-6) ?? ids.at(-1);
    if (last !== undefined) this.select(last, false);
  }

  // key=x node=n1 f=read outcome=unknown op=7 client=3 value=9, and words of keys or errors.
  setFilter(text) {
    const ops = this.ops, {names} = ops, tests = [];
    const indices = (list, wanted) =>
        new Set(list.map((name, i) => [name, i]).filter(([name]) => wanted(name)).map(([, i]) => i));
    for (const token of text.trim().split(/\s+/).filter(Boolean)) {
      const [, name, value] = /^(\w+)=(.*)$/.exec(token) ?? [];
      if (name === 'key') { const s = indices(names.keys, (k) => k === value); tests.push((i) => s.has(ops.key[i])); }
      else if (name === 'node') { const s = indices(names.nodes, (k) => k === value); tests.push((i) => s.has(ops.node[i])); }
      else if (name === 'f') { const s = indices(names.functions, (k) => k === value); tests.push((i) => s.has(ops.f[i])); }
      else if (name === 'outcome') tests.push((i) => OUTCOMES[ops.outcome[i]].startsWith(value) || (value === 'unknown' && ops.outcome[i] > 1));
      else if (name === 'op') tests.push((i) => ops.id[i] === Number(value));
      else if (name === 'client') tests.push((i) => ops.names.lanes[ops.client[i]] === Number(value));
      else if (name === 'value') tests.push((i) => ops.answered(i) === value || ops.asked(i).split('->').includes(value));
      else {
        const word = token.toLowerCase();
        const s = indices(names.keys, (k) => k.toLowerCase() === word);
        const e = indices(names.errors, (k) => k.toLowerCase().includes(word));
        tests.push((i) => s.has(ops.key[i]) || (ops.error[i] > 0 && e.has(ops.error[i])));
      }
    }
    this.shown = ops.n;
    this.mask = null;
    if (tests.length) {
      this.mask = new Uint8Array(ops.n);
      this.shown = 0;
      for (let i = 0; i < ops.n; i++)
        if (tests.every((test) => test(i))) { this.mask[i] = 1; this.shown++; }
    }
    this.draw();
  }

  // Lanes in view, by the column that they are made of.
  layout() {
    const {ops, lanesBy, view} = this;
    const column = ops[lanesBy];
    let indices;
    if (lanesBy === 'client' || lanesBy === 'node') {
      const count = lanesBy === 'client' ? ops.names.clients : ops.names.nodes.length;
      indices = [...Array(count).keys()];
      if (lanesBy === 'client') {  // clients of one node beside each other
        const home = new Map();
        for (let i = 0; i < ops.n && home.size < count; i++)
          if (!home.has(column[i])) home.set(column[i], ops.node[i]);
        indices.sort((a, b) => (home.get(a) - home.get(b)) || a - b);
        this.home = home;
      }
    } else {
      const seen = new Set();
      for (let i = ops.from(view[0] - ops.longest); i < ops.n && ops.start[i] <= view[1]; i++)
        if ((!this.mask || this.mask[i]) && (isNaN(ops.end[i]) || ops.end[i] >= view[0])) seen.add(column[i]);
      indices = [...seen].sort((a, b) => a - b);
    }
    this.moreLanes = Math.max(0, indices.length - 80);
    indices = indices.slice(0, 80);
    const lane = new Map(indices.map((index, row) => [index, row]));
    const height = indices.length <= 12 ? 26 : indices.length <= 24 ? 20 : indices.length <= 45 ? 13 : 9;
    return {column, indices, lane, height};
  }
  laneName(index) {
    const {ops} = this;
    if (this.lanesBy === 'node') return ops.names.nodes[index];
    if (this.lanesBy === 'key') return 'key ' + ops.names.keys[index];
    return `c${ops.names.lanes[index]} ${ops.names.nodes[this.home?.get(index)] ?? ''}`;
  }

  draw() {
    if (this.pending) return;
    this.pending = true;
    requestAnimationFrame(() => { this.pending = false; this.paint(); });
  }
  colours() {
    const style = getComputedStyle(document.documentElement);
    const get = (name) => style.getPropertyValue('--' + name).trim();
    return {ink: get('ink'), dim: get('dim'), line: get('line'), card: get('card'), bad: get('bad'),
            accent: get('accent'), fault: get('fault'), shade: get('shade'), leader: get('leader'),
            outcome: [get('ok'), get('failed'), get('unknown'), get('unknown')]};
  }
  x(time) { return this.left + (time - this.view[0]) / (this.view[1] - this.view[0]) * this.width; }
  time(x) { return this.view[0] + (x - this.left) / this.width * (this.view[1] - this.view[0]); }

  paint() {
    const {canvas, data} = this;
    const c = this.c = this.colours();
    const full = canvas.parentElement.clientWidth - 2 * parseFloat(getComputedStyle(canvas.parentElement).paddingLeft);
    const lanes = this.lanes = this.layout();
    this.left = full < 600 ? 54 : 92;
    this.width = full - this.left - 8;
    this.kinds = [...new Set(data.faults.map((f) => f.kind))];
    this.faultsTop = 42;
    this.leaderTop = this.faultsTop + this.kinds.length * 20;
    this.top = this.leaderTop + (data.leaders.length ? 24 : 2);
    const height = this.top + lanes.indices.length * lanes.height + 6;
    const ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(full * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(full * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = full + 'px';
      canvas.style.height = height + 'px';
    }
    const g = this.g = canvas.getContext('2d');
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, full, height);
    g.font = '11px system-ui, sans-serif';
    g.textBaseline = 'middle';
    this.paintAxis(height);
    this.paintFaults(height);
    this.paintLeaders();
    this.paintLaneNames();
    g.save();
    g.beginPath();
    g.rect(this.left, this.top, this.width + 8, height - this.top);
    g.clip();
    const from = this.firstInView(), to = this.ops.from(this.view[1]);
    this.mode = to - from > Math.max(4000, this.width * 3) ? 'density' : 'boxes';
    if (this.mode === 'density') this.paintDensity(from, to); else this.paintBoxes(from, to);
    this.paintSilences();
    g.restore();
    this.paintFindings(height);
  }
  // A line below the lanes of a node for as long as it does not answer.
  paintSilences() {
    const {g, c, lanes} = this;
    if (this.lanesBy === 'key') return;
    g.fillStyle = c.bad;
    lanes.indices.forEach((index, row) => {
      const node = this.ops.names.nodes[this.lanesBy === 'node' ? index : this.home.get(index)];
      for (const [from, to] of this.silences.get(node) ?? []) {
        const a = Math.max(this.x(from), this.left), b = Math.min(this.x(to), this.left + this.width);
        if (b > a) g.fillRect(a, this.top + (row + 1) * lanes.height - 2.5, Math.max(b - a, 1), 2);
      }
    });
  }
  firstInView() { return this.ops.from(this.view[0] - this.ops.longest); }

  paintAxis(height) {
    const {g, c, view} = this, width = view[1] - view[0];
    const rough = width / Math.max(2, this.width / 110);
    const unit = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((k) => k * unit).find((s) => s >= rough);
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    g.fillStyle = c.dim;
    g.strokeStyle = c.line;
    g.beginPath();
    g.textAlign = 'center';
    for (let t = Math.ceil(view[0] / step) * step; t <= view[1]; t += step) {
      const x = Math.round(this.x(t)) + 0.5;
      g.moveTo(x, 18);
      g.lineTo(x, height);
      if (x < this.left + this.width - 12) g.fillText(t.toFixed(digits) + ' s', x, 9);
    }
    g.stroke();
  }
  bar(y, from, to, label, fill, height = 15) {
    const {g, c} = this;
    const a = Math.max(this.x(from), this.left), b = Math.min(this.x(to), this.left + this.width);
    if (b < this.left || a > this.left + this.width) return;
    g.fillStyle = fill;
    g.fillRect(a, y, Math.max(b - a, 2), height);
    g.textAlign = 'left';
    if (g.measureText(label).width + 8 < b - a) { g.fillStyle = c.ink; g.fillText(label, a + 4, y + height / 2 + 0.5); }
  }
  paintFaults(height) {
    const {g, c, data} = this;
    for (const fault of data.faults) {
      const to = fault.to ?? this.span[1];
      const a = Math.max(this.x(fault.from), this.left), b = Math.min(this.x(to), this.left + this.width);
      if (b > a) { g.fillStyle = c.shade; g.fillRect(a, this.faultsTop, b - a, height - this.faultsTop); }
      this.bar(this.faultsTop + this.kinds.indexOf(fault.kind) * 20, fault.from, to, fault.hit, c.fault);
    }
    g.fillStyle = c.dim;
    g.textAlign = 'right';
    this.kinds.forEach((kind, row) =>
      g.fillText(kind.slice(0, this.left < 60 ? 8 : 14), this.left - 6, this.faultsTop + row * 20 + 8));
  }
  paintLeaders() {
    const {g, c, data} = this;
    if (!data.leaders.length) return;
    data.leaders.forEach((leader, i) => {
      const to = data.leaders[i + 1]?.at ?? this.span[1];
      this.bar(this.leaderTop + 1, leader.at, to - (to - leader.at) * 1e-4, `${leader.to}, term ${leader.term}`,
               c.leader, 15);
      const x = this.x(leader.at);
      if (i > 0 && x >= this.left) { g.fillStyle = c.ink; g.fillRect(x - 0.5, this.leaderTop - 1, 1.5, 19); }
    });
    g.fillStyle = c.dim;
    g.textAlign = 'right';
    g.fillText('leader', this.left - 6, this.leaderTop + 9);
  }
  paintLaneNames() {
    const {g, c, lanes} = this;
    g.textAlign = 'right';
    const every = lanes.height < 11 ? 2 : 1;
    lanes.indices.forEach((index, row) => {
      const y = this.top + row * lanes.height;
      if (row % 2) { g.globalAlpha = 0.35; g.fillStyle = c.line; g.fillRect(this.left, y, this.width, lanes.height); g.globalAlpha = 1; }
      g.fillStyle = c.dim;
      if (row % every === 0) g.fillText(this.laneName(index).slice(0, this.left < 60 ? 8 : 15), this.left - 6, y + lanes.height / 2);
    });
    if (this.moreLanes) { g.textAlign = 'left'; g.fillText(`and ${this.moreLanes} more lanes: filter or zoom in`, this.left + 4, this.top - 4); }
  }

  // A column of pixels tells how much was answered, and the worst outcome in it.
  paintDensity(from, to) {
    const {g, c, ops, lanes, mask} = this, width = Math.ceil(this.width);
    const counts = lanes.indices.map(() => [new Uint16Array(width), new Uint16Array(width), new Uint16Array(width)]);
    const scale = this.width / (this.view[1] - this.view[0]);
    for (let i = from; i < to; i++) {
      if (mask && !mask[i]) continue;
      const row = lanes.lane.get(lanes.column[i]);
      if (row === undefined) continue;
      const outcome = Math.min(ops.outcome[i], 2);
      const x = Math.floor(((outcome === 2 || isNaN(ops.end[i]) ? ops.start[i] : ops.end[i]) - this.view[0]) * scale);
      if (x >= 0 && x < width) counts[row][outcome][x]++;
    }
    let most = 1;
    for (const lane of counts) for (const n of lane[0]) if (n > most) most = n;
    const pad = lanes.height > 11 ? 2 : 1, room = lanes.height - 2 * pad;
    counts.forEach((lane, row) => {
      const y = this.top + row * lanes.height + pad;
      for (let x = 0; x < width; x++) {
        if (lane[0][x]) {
          g.globalAlpha = 0.25 + 0.75 * Math.log1p(lane[0][x]) / Math.log1p(most);
          g.fillStyle = c.outcome[0];
          g.fillRect(this.left + x, y, 1, room);
        }
      }
      g.globalAlpha = 1;
      for (let x = 0; x < width; x++) {  // rarer ones have shapes of their own
        if (lane[1][x]) { g.fillStyle = c.outcome[1]; g.fillRect(this.left + x, y + room * 0.7, 1, room * 0.3); }
      }
      for (let x = 0; x < width; x++)
        if (lane[2][x]) { g.fillStyle = c.outcome[2]; g.fillRect(this.left + x - 0.5, y, 2, room); }
    });
  }
  box(i) {
    const {ops, lanes} = this, row = lanes.lane.get(lanes.column[i]);
    if (row === undefined) return null;
    const a = this.x(ops.start[i]);
    const b = isNaN(ops.end[i]) ? a + 4 : this.x(ops.end[i]);
    const pad = lanes.height > 11 ? 3 : 1;
    return {x: a, y: this.top + row * lanes.height + pad, w: Math.max(b - a, 2), h: lanes.height - 2 * pad};
  }
  paintBoxes(from, to) {
    const {g, c, ops, mask} = this;
    g.textAlign = 'left';
    for (let i = from; i < to; i++) {
      const hidden = mask && !mask[i];
      if (hidden && !this.witness.has(i)) continue;
      const box = this.box(i);
      if (!box || box.x + box.w < this.left - 20) continue;
      g.globalAlpha = hidden ? 0.25 : 1;
      const outcome = ops.outcome[i];
      g.fillStyle = c.outcome[outcome];
      if (outcome === 0) g.fillRect(box.x, box.y, box.w, box.h);
      else if (outcome === 1) g.fillRect(box.x, box.y + box.h * 0.5, box.w, box.h * 0.5);
      else {  // open to the right: it may still take effect
        g.fillRect(box.x, box.y, box.w, box.h);
        g.globalAlpha = 0.35;
        for (let k = 0; k < 5; k++) g.fillRect(box.x + box.w + 2 + 4 * k, box.y + box.h / 2 - 1, 2, 2);
        g.globalAlpha = 1;
      }
      if (box.w > 46 && box.h > 11) {
        g.save();
        g.beginPath();
        const left = Math.max(box.x, this.left);
        g.rect(left, box.y, box.x + box.w - 3 - left, box.h);
        g.clip();
        g.fillStyle = outcome === 1 ? c.ink : c.card;
        g.fillText(`${requestWords(ops, i)} → ${answerWords(ops, i)}`, left + 4, box.y + box.h / 2 + 0.5);
        g.restore();
      }
      g.globalAlpha = 1;
      if (this.witness.has(i)) { g.strokeStyle = c.bad; g.lineWidth = 2; g.strokeRect(box.x - 1.5, box.y - 1.5, box.w + 3, box.h + 3); }
    }
    const under = this.hovered >= 0 ? this.box(this.hovered) : null;
    if (under) { g.strokeStyle = c.dim; g.lineWidth = 1.5; g.strokeRect(under.x - 1.5, under.y - 1.5, under.w + 3, under.h + 3); }
    const box = this.selected >= 0 ? this.box(this.selected) : null;
    if (box) { g.strokeStyle = c.ink; g.lineWidth = 2; g.strokeRect(box.x - 3, box.y - 3, box.w + 6, box.h + 6); }
  }
  paintFindings(height) {
    const {g, c, data} = this;
    const marks = data.findings.map((finding) => ({x: this.x(finding.at), number: finding.number}))
        .filter(({x}) => x >= this.left && x <= this.left + this.width).sort((a, b) => a.x - b.x);
    for (const {x} of marks) {
      g.strokeStyle = c.bad;
      g.globalAlpha = 0.6;
      g.setLineDash([3, 3]);
      g.lineWidth = 1;
      g.beginPath(); g.moveTo(x, 34); g.lineTo(x, height); g.stroke();
      g.setLineDash([]);
      g.globalAlpha = 1;
      g.fillStyle = c.bad;
      g.beginPath(); g.moveTo(x, 38); g.lineTo(x - 5, 28); g.lineTo(x + 5, 28); g.fill();
    }
    // Flags that stand close have one label, right of the last one, or left where there is no room.
    for (let first = 0, next; first < marks.length; first = next) {
      for (next = first + 1; next < marks.length && marks[next].x - marks[next - 1].x < 70; ) next++;
      const numbers = marks.slice(first, next).map((mark) => mark.number).sort((a, b) => a - b);
      const label = numbers.length === 1 ? `finding ${numbers[0]}`
          : numbers.length === 2 ? `findings ${numbers.join(', ')}`
          : `${numbers.length} findings`;
      const fits = marks[next - 1].x + 14 + g.measureText(label).width < this.left + this.width;
      g.textAlign = fits ? 'left' : 'right';
      g.fillText(label, fits ? marks[next - 1].x + 8 : marks[first].x - 8, 32);
    }
  }

  // The operation at that place of the canvas, -1 when there is none.
  at(x, y) {
    if (this.mode === 'density' || y < this.top) return -1;
    let best = -1, gap = 6;
    for (let i = this.firstInView(), to = this.ops.from(this.view[1]); i < to; i++) {
      if (this.mask && !this.mask[i]) continue;
      const box = this.box(i);
      if (!box || y < box.y - 2 || y > box.y + box.h + 2) continue;
      const distance = x < box.x ? box.x - x : x > box.x + box.w ? x - box.x - box.w : 0;
      if (distance < gap) { gap = distance; best = i; }
    }
    return best;
  }
  hover(i, event) {
    if (i !== this.hovered) {
      this.hovered = i;
      this.canvas.style.cursor = i < 0 ? '' : 'pointer';
      this.draw();
    }
    this.onHover(i, event);
  }
  step(direction) {
    const {ops, mask} = this;
    let i = this.selected < 0 ? ops.from((this.view[0] + this.view[1]) / 2) - direction : this.selected;
    for (i += direction; i >= 0 && i < ops.n; i += direction)
      if (!mask || mask[i]) return this.select(i, true);
  }
  listen() {
    const {canvas} = this;
    let drag = null;
    const place = (event) => { const r = canvas.getBoundingClientRect(); return [event.clientX - r.left, event.clientY - r.top]; };
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      drag = {x: event.clientX, view: [...this.view], moved: false};
    });
    canvas.addEventListener('pointermove', (event) => {
      if (!drag) return this.hover(this.at(...place(event)), event);
      const shift = (drag.x - event.clientX) / this.width * (drag.view[1] - drag.view[0]);
      if (Math.abs(drag.x - event.clientX) > 3) drag.moved = true;
      if (drag.moved) this.setView(drag.view[0] + shift, drag.view[1] + shift);
    });
    canvas.addEventListener('pointerleave', (event) => this.hover(-1, event));
    canvas.addEventListener('pointerup', (event) => {
      if (drag && !drag.moved) {
        const [x, y] = place(event);
        const hit = this.at(x, y);
        if (hit >= 0) this.select(hit, false);
        else if (this.mode === 'density') this.zoom(0.3, this.time(x));
        else this.select(-1, false);
      }
      drag = null;
    });
    canvas.addEventListener('dblclick', (event) => this.zoom(0.4, this.time(place(event)[0])));
    canvas.addEventListener('wheel', (event) => {
      if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) { event.preventDefault(); return this.pan(event.deltaX / 1000); }
      if (!(event.ctrlKey || event.metaKey || document.activeElement === canvas)) return;  // the page scrolls
      event.preventDefault();
      this.zoom(Math.exp(event.deltaY / 400), this.time(place(event)[0]));
    }, {passive: false});
    canvas.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const keys = {
        ArrowLeft: () => this.pan(-0.2), ArrowRight: () => this.pan(0.2), '+': () => this.zoom(0.6),
        '=': () => this.zoom(0.6), '-': () => this.zoom(1.7), 0: () => this.showAll(),
        Enter: () => this.step(event.shiftKey ? -1 : 1), Escape: () => this.select(-1, false),
        Home: () => this.setView(this.span[0], this.span[0] + this.view[1] - this.view[0]),
        End: () => this.setView(this.span[1] - this.view[1] + this.view[0], this.span[1]),
      };
      const action = keys[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    });
  }
}
