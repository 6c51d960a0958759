'use strict';
// Lists of `ordeal serve`: runs, nights, a run that goes on, logs. The address holds what is chosen.
(function () {
  const given = JSON.parse(document.getElementById('data').textContent);
  const main = document.getElementById('main');
  const make = (tag, text, css) => {
    const node = document.createElement(tag);
    if (text !== undefined && text !== null) node.textContent = text;
    if (css) node.className = css;
    return node;
  };
  const state = new URLSearchParams(location.search);
  const MARK = {PASS: '✓', FAIL: '✕', INCONCLUSIVE: '?', BROKEN: '!'};
  const address = (run) => `/run/${encodeURIComponent(run.name)}/`;
  const failed = (run) => run.verdict === 'FAIL' && !run.canary;  // of a canary it is no news
  const faults = (run) => run.nemeses.join(' + ') || 'no faults';
  function set(name, value) {
    if (value) state.set(name, value); else state.delete(name);
    const text = state.toString();
    history.replaceState(null, '', location.pathname + (text ? '?' + text : ''));
  }
  const FACETS = {
    verdict: (run) => run.verdict, system: (run) => run.cluster, version: (run) => run.version || '–',
    workload: (run) => run.workload, faults, signature: (run) => run.signatures[0] ?? '–',
  };

  function runsView(list) {
    const search = make('input');
    search.type = 'search';
    search.placeholder = 'search in names, headlines, signatures, seeds';
    search.value = state.get('q') ?? '';
    search.style.flex = '1 1 240px';
    const bar = make('div', undefined, 'filters card');
    const selects = {};
    for (const name of Object.keys(FACETS)) {
      selects[name] = make('select');
      selects[name].setAttribute('aria-label', name);
      selects[name].onchange = () => { set(name, selects[name].value); show(); };
      bar.append(selects[name]);
    }
    const group = make('label', 'group failures ');
    const grouped = make('input');
    grouped.type = 'checkbox';
    grouped.checked = state.get('group') !== 'no';
    grouped.onchange = () => { set('group', grouped.checked ? '' : 'no'); show(); };
    group.append(grouped);
    const compare = make('button', 'compare the two marked');
    compare.disabled = true;
    bar.append(search, group, compare);
    const box = make('div');
    main.replaceChildren(bar, box);
    let rows = [], current = -1;
    const marked = new Set();

    const text = (run) => [run.name, run.headline, run.version, String(run.seed), ...run.signatures].join(' ').toLowerCase();
    const fits = (run, but) => Object.keys(FACETS).every((name) => name === but || !state.get(name) || FACETS[name](run) === state.get(name)) &&
        (!search.value || search.value.toLowerCase().split(/\s+/).every((word) => text(run).includes(word)));
    function fill() {
      for (const [name, value] of Object.entries(FACETS)) {
        const counts = new Map();
        for (const run of list.runs) if (fits(run, name)) counts.set(value(run), (counts.get(value(run)) ?? 0) + 1);
        const chosen = state.get(name) ?? '';
        const options = [new Option(`${name}: any`, '')];
        for (const [option, count] of [...counts].sort((a, b) => b[1] - a[1])) options.push(new Option(`${option} (${count})`, option));
        if (chosen && !counts.has(chosen)) options.push(new Option(`${chosen} (0)`, chosen));
        selects[name].replaceChildren(...options);
        selects[name].value = chosen;
      }
    }
    function row(run) {
      const tr = make('tr');
      tr.run = run;
      const verdict = make('td');
      verdict.append(make('span', `${MARK[run.verdict]} ${run.verdict}`, `badge ${run.verdict}`));
      const what = make('td');
      const link = make(run.stored ? 'a' : 'span', run.headline || `${run.operations.toLocaleString('en')} operations`);
      if (run.stored) link.href = address(run);
      if (run.canary) what.append(make('b', 'canary ', 'canary'));
      what.append(link);
      if (!run.stored) what.append(make('span', ' (its directory is gone)', 'dim'));
      tr.append(verdict, make('td', run.started.replace('T', ' ').replace('Z', '')), make('td', `${run.cluster} ${run.version}`, 'wide'),
                make('td', run.workload, 'wide'), make('td', faults(run), 'wide'), what,
                make('td', run.operations.toLocaleString('en'), 'n wide'), make('td', String(run.seed), 'n wide'));
      if (marked.has(run.name)) tr.className = 'marked';
      return tr;
    }
    function table(runs) {
      const scroll = make('div', undefined, 'scroll'), node = make('table'), head = make('tr');
      const narrow = ['verdict', 'started', 'what'];
      for (const name of ['verdict', 'started', 'system', 'workload', 'faults', 'what', '#operations', '#seed'])
        head.append(make('th', name.replace('#', ''), (name.startsWith('#') ? 'n' : '') + (narrow.includes(name) ? '' : ' wide')));
      const body = make('tbody'), top = make('thead');
      top.append(head);
      for (const run of runs) { const tr = row(run); rows.push(tr); body.append(tr); }
      node.append(top, body);
      scroll.append(node);
      return scroll;
    }
    function show() {
      fill();
      rows = [];
      current = -1;
      const chosen = list.runs.filter((run) => fits(run));
      const parts = [];
      for (const name of list.going_on) {
        const card = make('section', undefined, 'card'), link = make('a', name);
        link.href = `/run/${encodeURIComponent(name)}/`;
        card.append(make('b', 'going on: '), link);
        parts.push(card);
      }
      let rest = chosen;
      if (grouped.checked) {
        const groups = new Map();
        for (const run of chosen) {
          if (!failed(run)) continue;
          const name = run.signatures[0] ?? 'no signature';
          groups.set(name, [...(groups.get(name) ?? []), run]);
        }
        for (const [signature, runs] of groups) {
          const card = make('details', undefined, 'card'), title = make('summary');
          const days = (run) => run.started.slice(0, 10);
          const heading = make('h2', `${signature}: ${runs.length} run${runs.length > 1 ? 's' : ''}`);
          title.append(heading, make('span', `  first ${days(runs.at(-1))}, last ${days(runs[0])}`, 'dim'));
          card.append(title, table(runs.slice(0, 200)));
          card.open = groups.size === 1 || Boolean(state.get('signature'));
          parts.push(card);
        }
        rest = chosen.filter((run) => !failed(run));
      }
      if (rest.length) {
        const card = make('section', undefined, 'card');
        card.append(make('h2', `${rest.length.toLocaleString('en')} run${rest.length > 1 ? 's' : ''}`), table(rest.slice(0, 300)));
        if (rest.length > 300) card.append(make('p', `The newest 300 are shown; choose or search for others.`, 'dim'));
        parts.push(card);
      }
      if (!parts.length) parts.push(make('p', list.runs.length ? 'Nothing fits what is chosen.' : 'No run is stored here yet: ordeal run makes one.', 'card'));
      parts.push(make('p', 'j k: move · enter: open · x: mark · c: compare the marked · /: search', 'dim small'));
      box.replaceChildren(...parts);
    }
    const visible = () => rows.filter((tr) => tr.offsetParent !== null);
    function move(step) {
      const all = visible();
      if (!all.length) return;
      rows[current]?.classList.remove('current');
      const next = all[Math.min(Math.max(all.indexOf(rows[current]) + step, 0), all.length - 1)];
      current = rows.indexOf(next);
      next.classList.add('current');
      next.scrollIntoView({block: 'nearest'});
    }
    function mark(tr) {
      if (!tr) return;
      if (marked.delete(tr.run.name)) tr.classList.remove('marked');
      else { marked.add(tr.run.name); tr.classList.add('marked'); }
      compare.disabled = marked.size !== 2;
    }
    const go = () => {
      const [b, a] = list.runs.filter((run) => marked.has(run.name)).map((run) => run.name);
      if (a && b) location.href = `/compare?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`;
    };
    compare.onclick = go;
    search.oninput = () => { set('q', search.value); show(); };
    box.addEventListener('click', (event) => {
      const tr = event.target.closest('tbody tr');
      if (tr && !event.target.closest('a')) mark(tr);
    });
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {  // out of the search, which stays: a browser would empty it unasked
        event.preventDefault();
        return document.activeElement.blur();
      }
      if (/^(INPUT|SELECT)$/.test(document.activeElement.tagName) || event.ctrlKey || event.metaKey) return;
      if (event.key === 'j') move(1);
      if (event.key === 'k') move(-1);
      if (event.key === 'x') mark(rows[current]);
      if (event.key === 'c') go();
      if (event.key === 'Enter' && rows[current]?.run.stored) location.href = address(rows[current].run);
      if (event.key === '/') { event.preventDefault(); search.focus(); }
    });
    show();
  }

  // A line a combination, a cell a night: what was seen, and what was not run. Canaries stand first:
  // a night in which one of them does not fail would have seen no failure at all.
  const WORST = ['PASS', 'INCONCLUSIVE', 'BROKEN', 'FAIL'];
  const sum = (runs, name) => runs.reduce((n, run) => n + run[name], 0);
  const number = (n) => n.toLocaleString('en');
  const options = (run) => Object.entries(run.options ?? {}).map(([name, value]) => `${name} ${value}`).join(', ');
  function nightCell(night, runs, canary) {
    if (!runs.length) {
      const none = make('i', '', 'none');
      none.title = `${night}: not run`;
      return none;
    }
    const worse = (a, b) => (WORST.indexOf(b.verdict) > WORST.indexOf(a.verdict)) !== canary;
    const run = runs.reduce((a, b) => worse(a, b) ? b : a);  // of a canary the best one is the news
    const barked = canary && run.verdict === 'FAIL';
    const cell = make(run.stored ? 'a' : 'i', canary && !barked ? '!' : MARK[run.verdict],
                      !canary ? run.verdict : barked ? 'barked' : 'silent');
    if (run.stored) cell.href = address(run);
    cell.title = `${night}: ${run.verdict}${canary ? barked ? ', as it must' : ', and it had to FAIL' : ''}, ` +
        `${runs.length} run${runs.length > 1 ? 's' : ''}, ${number(sum(runs, 'operations'))} operations. ${run.headline}`;
    return cell;
  }
  function trendView(list) {
    const nights = [...new Set(list.runs.map((run) => run.started.slice(0, 10)))].sort().slice(-30);
    const of = (runs, night) => runs.filter((run) => run.started.startsWith(night));
    const combinations = new Map();
    for (const run of list.runs) {
      const system = [run.cluster, run.version, options(run)].filter(Boolean).join(' · ');
      const name = JSON.stringify([run.canary ? 0 : 1, run.workload, faults(run), system]);
      if (!combinations.has(name)) combinations.set(name, []);
      combinations.get(name).push(run);
    }
    const card = make('section', undefined, 'card'), scroll = make('div', undefined, 'scroll'), table = make('table');
    const head = make('tr'), top = make('thead'), body = make('tbody');
    head.append(make('th', 'workload'), make('th', 'faults', 'wide'), make('th', 'system'),
                make('th', nights.length ? `${nights[0]} … ${nights.at(-1)}` : 'nights'),
                make('th', 'operations', 'n wide'), make('th', 'faults that took effect', 'n wide'));
    top.append(head);
    for (const [name, runs] of [...combinations].sort()) {
      const tr = make('tr'), cells = make('span', undefined, 'cells'), parts = JSON.parse(name);
      const canary = parts.shift() === 0;
      parts.forEach((part, i) => tr.append(make('td', part, i === 1 ? 'wide' : '')));
      if (canary) tr.firstChild.prepend(make('b', 'canary ', 'canary'));
      for (const night of nights) cells.append(nightCell(night, of(runs, night), canary));
      const strip = make('td');
      strip.append(cells);
      tr.append(strip, make('td', number(sum(runs, 'operations')), 'n wide'),
                make('td', `${number(sum(runs, 'faults_took_effect'))}/${number(sum(runs, 'faults_planned'))}`, 'n wide'));
      body.append(tr);
    }
    // How much was tested each night, so that a quiet line is not taken for a healthy one.
    const amounts = (words, name) => {
      const tr = make('tr', undefined, 'amount'), strip = make('td'), cells = make('span', undefined, 'cells');
      const values = nights.map((night) => sum(of(list.runs, night), name)), most = Math.max(...values, 1);
      nights.forEach((night, i) => {
        const cell = make('i', '', 'bar'), bar = make('s');
        bar.style.height = `${values[i] ? Math.max(2, Math.round(values[i] / most * 22)) : 0}px`;
        cell.title = `${night}: ${number(values[i])} ${words}`;
        cell.append(bar);
        cells.append(cell);
      });
      const label = make('td', words);
      label.colSpan = 2;
      strip.append(cells);
      const rest = make('td', `at most ${number(Math.max(...values, 0))} a night`, 'wide');
      rest.colSpan = 2;
      tr.append(label, make('td', '', 'wide'), strip, rest);
      return tr;
    };
    if (nights.length) body.append(amounts('operations', 'operations'), amounts('faults that took effect', 'faults_took_effect'));
    table.append(top, body);
    scroll.append(table);
    const legend = make('p', '✓ PASS · ✕ FAIL · ? INCONCLUSIVE · ! BROKEN · empty: not run that night. The worst of a night is shown. ' +
        'A canary must FAIL: ✕ framed in green if it did, ! on red if it did not.', 'dim small');
    card.append(make('h2', 'Workload, faults and version, night by night'), list.runs.length ? scroll : make('p', 'No run is stored here yet: ordeal run makes one.'), legend);

    // Signatures: since when, until when, in which versions.
    const signatures = new Map();
    for (const run of list.runs.filter((run) => !run.canary))
      for (const name of run.signatures) signatures.set(name, [...(signatures.get(name) ?? []), run]);
    const second = make('section', undefined, 'card'), list2 = make('table'), rows = make('tbody');
    const head2 = make('tr'), top2 = make('thead');
    for (const name of ['signature', 'first seen', 'last seen', 'runs', 'versions']) head2.append(make('th', name));
    top2.append(head2);
    for (const [name, runs] of [...signatures].sort((a, b) => b[1].length - a[1].length)) {
      const tr = make('tr'), cell = make('td'), link = make('a', name);
      link.href = `/?signature=${encodeURIComponent(name)}`;
      cell.append(link);
      tr.append(cell, make('td', runs.at(-1).started.slice(0, 10)), make('td', runs[0].started.slice(0, 10)),
                make('td', String(runs.length)), make('td', [...new Set(runs.map((run) => run.version))].join(', ')));
      rows.append(tr);
    }
    list2.append(top2, rows);
    second.append(make('h2', 'Signatures'), signatures.size ? list2 : make('p', 'No finding in any run.'));
    main.replaceChildren(card, second);
  }

  // A run that goes on, asked every second.
  async function liveView() {
    const card = make('section', undefined, 'card'), lately = make('section', undefined, 'card');
    const rates = [];  // ok a second, since the page was opened
    main.replaceChildren(card);
    for (;;) {
      const answer = await fetch(`/api/live/${encodeURIComponent(given.name)}.json`).catch(() => null);
      if (answer?.status === 404) {  // it got its verdict, and with it another name
        const list = await (await fetch('/api/runs.json')).json();
        const subject = given.name.split('-').slice(5).join('-'), moment = given.name.slice(0, 19);
        const run = list.runs.find((r) => r.name.startsWith(moment) && r.name.endsWith(subject));
        if (run) return location.replace(address(run));
      } else if (answer?.ok) {
        const live = await answer.json();
        rates.push(live.rates.ok);
        if (rates.length > 120) rates.shift();
        showLive(live, rates, card, lately);
      }
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
  function showLive(live, rates, card, lately) {
    const list = make('dl', undefined, 'facts'), plan = live.plan;
    const row = (name, ...values) => { const div = make('div'), dd = make('dd'); dd.append(...values); div.append(make('dt', name), dd); list.append(div); };
    document.querySelector('h1').textContent = `${plan.workload || 'a run'} × ${plan.cluster || '?'}, seed ${plan.seed}`;
    const done = Math.max(0, live.at_s - live.main_s), bar = make('progress');
    bar.max = plan.time_s;
    bar.value = Math.min(done, plan.time_s);
    const clock = (s) => `${String(Math.floor(s / 60)).padStart(2, '0')}:${String(Math.floor(s % 60)).padStart(2, '0')}`;
    row('phase', live.phase, ...(live.phase === 'main' ? [' ', bar, ` ${clock(done)} of ${clock(plan.time_s)}`] : []));
    if (live.idle_s > 30)
      row('silence', make('b', `nothing was written for ${Math.round(live.idle_s)} s: if it was killed, ordeal check judges what is there`, 'hole'));
    const spark = make('span', undefined, 'spark'), most = Math.max(...rates, 1);
    for (const rate of rates) { const s = make('s'); s.style.height = `${Math.max(1, Math.round(rate / most * 22))}px`; spark.append(s); }
    row('ok a second', make('b', number(Math.round(live.rates.ok))), ' ', spark);
    row('others', `${Math.round(live.rates.fail)} failed, ${Math.round(live.rates.info)} unknown a second, over the last ${live.over_s.toFixed(0)} s; ${number(live.events)} events so far`);
    const on = live.faults_on.map((fault) => make('span', `${fault.kind} ${fault.hit}, for ${Math.max(0, live.at_s - fault.since_s).toFixed(0)} s`, 'on-now'));
    row('faults on', ...(on.length ? on : ['none']), make('span', `  ${live.faults_done} of ${live.faults_planned} are over`, 'dim'));
    for (const node of live.nodes)
      row(node.node, !node.answers ? make('span', `✕ does not answer: ${node.error}`, 'hole') :
          node.leader === node.node ? make('b', `★ leader, term ${node.term}`) : `● follows ${node.leader || 'nobody'}, term ${node.term}`);
    card.replaceChildren(list);
    if (!live.lately.length) return;
    const table = make('table', undefined, 'log narrow'), body = make('tbody');
    for (const event of live.lately) {
      const tr = make('tr');
      tr.append(make('td', event.at_s.toFixed(1), 'n'), make('td', event.what), make('td', event.text, 'msg'));
      body.append(tr);
    }
    table.append(body);
    lately.replaceChildren(make('h2', 'Lately'), table);
    if (!lately.parentNode) main.append(lately);
  }

  function logView() {
    const wanted = () => Number(/^#L(\d+)$/.exec(location.hash)?.[1] ?? 0);
    const jump = () => {
      const line = wanted();
      if (line && (line < given.from || line >= given.from + given.shown))
        location.replace(`?from=${Math.max(1, line - 1000)}${location.hash}`);
    };
    jump();
    addEventListener('hashchange', jump);
    const find = document.getElementById('find');
    find.oninput = () => {
      const word = find.value.toLowerCase();
      for (const line of document.querySelectorAll('pre.viewer span')) line.hidden = Boolean(word) && !line.textContent.toLowerCase().includes(word);
    };
  }

  if (given.view === 'log') return logView();
  if (given.view === 'live') return liveView();
  fetch('/api/runs.json').then((answer) => answer.json()).then(given.view === 'trend' ? trendView : runsView)
      .catch((failure) => main.replaceChildren(make('p', `The list of runs cannot be read: ${failure.message}`, 'card hole')));
})();
