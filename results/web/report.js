'use strict';
// The page of a run: charts, links between findings, timeline and logs, keys, copying commands.
(function () {
  const data = JSON.parse(document.getElementById('data').textContent);
  const $ = (id) => document.getElementById(id);
  const element = (tag, text, css) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (css) node.className = css;
    return node;
  };
  let timeline = null, charts = [];

  // Commands are copied by a click or the enter key.
  const copy = async (node) => {
    const selection = getSelection(), range = document.createRange();
    range.selectNodeContents(node);
    selection.removeAllRanges();
    selection.addRange(range);
    try { await navigator.clipboard.writeText(node.textContent); } catch { document.execCommand('copy'); }
    node.classList.add('copied');
    setTimeout(() => node.classList.remove('copied'), 1200);
  };
  document.addEventListener('click', (event) => {
    const command = event.target.closest?.('code.command');
    if (command) copy(command);
  });

  // #t=60.5-64.5&op=8841&key=x&lanes=node&q=...: the address says what is shown.
  const parse = () => new URLSearchParams(location.hash.slice(1));
  let writing = 0;
  function remember() {
    if (!timeline) return;
    clearTimeout(writing);
    writing = setTimeout(() => {
      const state = new URLSearchParams();
      const [a, b] = timeline.view, whole = timeline.span;
      if (a !== whole[0] || b !== whole[1]) state.set('t', `${+a.toFixed(4)}-${+b.toFixed(4)}`);
      if (timeline.selected >= 0) state.set('op', timeline.ops.id[timeline.selected]);
      if ($('lanes').value !== 'client') state.set('lanes', $('lanes').value);
      if ($('filter').value.trim()) state.set('q', $('filter').value.trim());
      const hash = state.toString();
      if (hash) history.replaceState(null, '', '#' + hash);
      else if (parse().has('t') || parse().has('op') || parse().has('q') || parse().has('lanes'))
        history.replaceState(null, '', location.pathname + location.search);
    }, 200);
  }
  function follow() {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
    if (!timeline) return;
    const state = parse();
    if (state.get('lanes')) { $('lanes').value = state.get('lanes'); timeline.setLanes(state.get('lanes')); }
    const filter = state.get('q') ?? (state.get('key') ? 'key=' + state.get('key') : null);
    if (filter !== null) { $('filter').value = filter; applyFilter(); }
    const range = /^(-?[\d.]+)(?:-([\d.]+))?$/.exec(state.get('t') ?? '');
    if (range) {
      const from = Number(range[1]);
      timeline.setView(range[2] ? from : from - 2, range[2] ? Number(range[2]) : from + 2);
    }
    if (state.get('op')) timeline.select(timeline.ops.find(Number(state.get('op'))), !range);
    if (range || state.get('op')) $('timeline').scrollIntoView({block: 'start'});
  }

  function applyFilter() {
    timeline.setFilter($('filter').value);
    const ops = timeline.ops, left = ops.names.left_out;
    $('shown').textContent = (timeline.mask ? `${timeline.shown.toLocaleString('en')} of ` : '') +
        `${ops.n.toLocaleString('en')} operations` + (left ? `, ${left.toLocaleString('en')} later ones are in history.jsonl only` : '');
    remember();
  }

  // Lines of that node's log that stand in a finding, nearest to the operation.
  function logNear(node, from, to) {
    const seen = new Map();
    for (const finding of data.findings)
      for (const line of finding.log) if (line.node === node) seen.set(`${line.file}:${line.line}`, line);
    const away = (line) => Math.max(from - line.at, line.at - to, 0);
    return [...seen.values()].filter((line) => away(line) < 2).sort((a, b) => away(a) - away(b))
        .slice(0, 4).sort((a, b) => a.at - b.at);
  }

  // What was asked and answered, in full.
  function showDetail(i) {
    const box = $('detail');
    box.replaceChildren();
    if (i < 0) return remember();
    const ops = timeline.ops, end = ops.end[i];
    const rows = [
      ['asked', `${requestWords(ops, i)}, by client ${ops.names.lanes[ops.client[i]]} of ${ops.names.nodes[ops.node[i]] ?? '?'}`],
      ['answered', answerWords(ops, i)],
      ['from, to', `${ops.start[i].toFixed(6)} s – ` + (isNaN(end) ? 'never answered' :
          `${end.toFixed(6)} s (${((end - ops.start[i]) * 1000).toFixed(3)} ms)`)],
      ['recorded', `event ${ops.id[i]}, line ${ops.id[i] + 2} of history.jsonl` +
          (ops.revision[i] && ops.outcome[i] < 2 ? `; revision ${ops.revision[i]} or later` : '')],
    ];
    const on = data.faults.filter((f) => f.from <= (isNaN(end) ? ops.start[i] : end) && (f.to ?? Infinity) >= ops.start[i]);
    if (on.length) rows.push(['meanwhile', on.map((f) => `${f.kind} ${f.hit}`).join('; ')]);
    const leader = data.leaders.filter((l) => l.at <= ops.start[i]).at(-1);
    if (leader) rows.push(['leader', `${leader.to}, term ${leader.term}`]);
    box.append(element('h4', `Operation ${ops.id[i]}`));
    const list = element('dl', undefined, 'facts');
    for (const [name, value] of rows) {
      const row = element('div');
      row.append(element('dt', name), element('dd', value));
      list.append(row);
    }
    const finding = timeline.witness.get(i);
    if (finding) {
      const row = element('div'), value = element('dd'), link = element('a', `finding ${finding.number}: ${finding.headline}`);
      link.href = `#finding-${finding.number}`;
      value.append(link);
      row.append(element('dt', 'belongs to'), value);
      list.append(row);
    }
    for (const line of logNear(ops.names.nodes[ops.node[i]], ops.start[i], isNaN(end) ? ops.start[i] : end)) {
      const row = element('div'), value = element('dd'), link = element('a', `${line.file.split('/').at(-1)}:${line.line}`);
      link.href = `${line.file}#L${line.line}`;
      value.append(element('span', `${line.at.toFixed(3)} s  ${line.text}  `, 'said'), link);
      row.append(element('dt', `${line.node} said`), value);
      list.append(row);
    }
    const actions = element('p');
    const key = ops.names.keys[ops.key[i]];
    const followKey = element('button', `follow key ${key}`);
    followKey.onclick = () => { $('filter').value = `key=${key}`; applyFilter(); };
    actions.append(followKey);
    box.append(list, actions);
    remember();
  }

  function bands(area, box, g) {
    const style = getComputedStyle(document.documentElement);
    for (const fault of data.faults) {
      const a = g.toDomXCoord(fault.from), b = g.toDomXCoord(fault.to ?? timeline.span[1]);
      area.fillStyle = style.getPropertyValue('--shade');
      area.fillRect(a, box.y, Math.max(b - a, 1), box.h);
    }
    area.fillStyle = style.getPropertyValue('--bad');
    for (const finding of data.findings) {
      const x = g.toDomXCoord(finding.at);
      area.beginPath(); area.moveTo(x, 8); area.lineTo(x - 4, 0); area.lineTo(x + 4, 0); area.fill();
    }
  }
  function drawCharts() {
    const {width_ms: width, rates, latencies_ms: latencies} = data.series;
    const style = getComputedStyle(document.documentElement);
    const get = (name) => style.getPropertyValue('--' + name).trim();
    const times = (rows) => rows.map((row, i) => [(i + 0.5) * width / 1000, ...row]);
    const common = {
      underlayCallback: bands, legend: 'always', gridLineColor: get('line'), axisLineColor: get('line'), axisLabelColor: get('dim'),
      strokeWidth: 1.6, highlightCircleSize: 3, labelsSeparateLines: false, animatedZooms: false,
      axes: {x: {axisLabelFormatter: (v) => `${+v.toFixed(3)} s`, valueFormatter: (v) => `${v.toFixed(1)} s  `},
             y: {axisLabelWidth: 52}},
      zoomCallback: (from, to) => { timeline.setView(from, to, true); syncCharts([from, to]); remember(); },
    };
    charts = [
      new Dygraph($('rate'), times(rates), {...common, labels: ['s', 'ok', 'failed', 'unknown'],
          colors: [get('ok'), get('failed'), get('unknown')], includeZero: true, connectSeparatedPoints: false,
          series: {failed: {strokePattern: [6, 3]}, unknown: {strokePattern: [2, 2], strokeWidth: 2.2}}}),
      new Dygraph($('latency'), times(latencies), {...common, labels: ['s', 'p50', 'p95', 'p99', 'max'], logscale: true,
          colors: [get('ok'), get('accent'), get('unknown'), get('dim')],
          series: {p95: {strokePattern: [6, 3]}, p99: {strokePattern: [2, 2]}, max: {strokeWidth: 0.8}},
          axes: {...common.axes, y: {axisLabelWidth: 52, ticker: decades, valueFormatter: (v) => v == null ? '–' : `${+v.toPrecision(3)} ms  `}}}),
    ];
  }
  // 1, 2 and 5 of each power of ten; the powers alone when they are many.
  function decades(a, b) {
    const few = Math.log10(b / a) < 2.2, ticks = [];
    for (let power = Math.floor(Math.log10(a)); power <= Math.log10(b); power++)
      for (const k of few ? [1, 2, 5] : [1]) {
        const v = k * 10 ** power;
        if (v >= a && v <= b) ticks.push({v, label: String(+v.toPrecision(2))});
      }
    return ticks;
  }
  let syncing = false;
  function syncCharts(view) {
    if (syncing) return;
    syncing = true;
    const {width_ms: width, rates} = data.series;
    const whole = [0, rates.length * width / 1000];
    const near = [Math.max(view[0], whole[0]), Math.min(view[1], whole[1])];
    // A chart of two points says nothing: it stays at ten steps around what the timeline shows.
    const least = 10 * width / 1000, middle = (near[0] + near[1]) / 2;
    if (near[1] - near[0] < least) near.splice(0, 2, middle - least / 2, middle + least / 2);
    for (const chart of charts) chart.updateOptions({dateWindow: near});
    syncing = false;
  }

  async function start() {
    const tip = element('div', '', 'tip');
    tip.hidden = true;
    document.body.append(tip);
    const ops = await unpackTrace(data.trace, $('packed').textContent);
    $('packed').textContent = '';
    timeline = new Timeline($('canvas'), data, ops);
    window.ordeal = {timeline, data};  // for the curious, and for tests
    let chartTimer = 0;
    timeline.onView = (view) => {
      remember();
      clearTimeout(chartTimer);
      chartTimer = setTimeout(() => syncCharts(view), 60);
    };
    timeline.onSelect = showDetail;
    timeline.onHover = (i, event) => {
      tip.hidden = i < 0;
      if (i < 0) return;
      tip.textContent = `${requestWords(ops, i)} → ${answerWords(ops, i)}   (${ops.names.nodes[ops.node[i]]}, ` +
          `${ops.start[i].toFixed(3)} s${isNaN(ops.end[i]) ? '' : ', ' + ((ops.end[i] - ops.start[i]) * 1000).toFixed(2) + ' ms'})`;
      tip.style.left = Math.min(event.clientX + 14, innerWidth - 320) + 'px';
      tip.style.top = event.clientY + 16 + 'px';
    };
    $('lanes').onchange = () => { timeline.setLanes($('lanes').value); remember(); };
    let typing = 0;
    $('filter').oninput = () => { clearTimeout(typing); typing = setTimeout(applyFilter, 150); };
    $('zoom-in').onclick = () => timeline.zoom(0.5);
    $('zoom-out').onclick = () => timeline.zoom(2);
    $('zoom-all').onclick = () => timeline.showAll();
    $('next-finding').onclick = () => timeline.nextFinding(1);
    $('next-finding').disabled = !data.findings.length;
    applyFilter();
    timeline.draw();
    follow();
    addEventListener('hashchange', follow);
    document.addEventListener('click', (event) => {
      const link = event.target.closest?.('a.op, a.at');
      if (!link || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (link.dataset.op) timeline.select(ops.find(Number(link.dataset.op)), true);
      else timeline.setView(Number(link.dataset.at) - 2, Number(link.dataset.at) + 3);
      $('timeline').scrollIntoView({behavior: 'smooth', block: 'start'});
      $('canvas').focus({preventScroll: true});
    });
    await new Promise((done) => setTimeout(done, 0));  // the timeline first
    drawCharts();
    if (timeline.view[0] !== timeline.span[0] || timeline.view[1] !== timeline.span[1]) syncCharts(timeline.view);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      for (const chart of charts) chart.destroy();
      drawCharts();
    });
  }

  document.addEventListener('keydown', (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? '');
    if (event.key === 'Enter' && document.activeElement?.matches?.('code.command')) return copy(document.activeElement);
    if (event.key === 'Escape' && typing) {  // out of the filter, which stays
      event.preventDefault();
      return document.activeElement.blur();
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !timeline) return;
    if (event.key === '/') { event.preventDefault(); $('filter').focus(); }
    if (event.key === 'n') timeline.nextFinding(1);
    if (event.key === 'p') timeline.nextFinding(-1);
    if (event.key === 'n' || event.key === 'p') $('timeline').scrollIntoView({block: 'start'});
  });
  addEventListener('beforeprint', () => { for (const d of document.querySelectorAll('details.finding')) d.open = true; });
  if (data.trace) {
    start().catch((failure) => {
      const note = element('p', `The timeline could not be drawn: ${failure.message}`, 'hole');
      $('timeline').append(note);
    });
  } else {
    follow();
  }
})();
