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
      what.append(link);
      if (!run.stored) what.append(make('span', ' (its directory is gone)', 'dim'));
      tr.append(verdict, make('td', run.started.replace('T', ' ').replace('Z', '')), make('td', `${run.cluster} ${run.version}`),
                make('td', run.workload), make('td', faults(run)), what,
                make('td', run.operations.toLocaleString('en'), 'n'), make('td', String(run.seed), 'n'));
      if (marked.has(run.name)) tr.className = 'marked';
      return tr;
    }
    function table(runs) {
      const scroll = make('div', undefined, 'scroll'), node = make('table'), head = make('tr');
      for (const name of ['verdict', 'started', 'system', 'workload', 'faults', 'what', '#operations', '#seed'])
        head.append(make('th', name.replace('#', ''), name.startsWith('#') ? 'n' : ''));
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
          if (run.verdict !== 'FAIL') continue;
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
        rest = chosen.filter((run) => run.verdict !== 'FAIL');
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

  // A line a combination, a cell a night: what was seen, and what was not run.
  function trendView(list) {
    const nights = [...new Set(list.runs.map((run) => run.started.slice(0, 10)))].sort().slice(-30);
    const worst = ['PASS', 'INCONCLUSIVE', 'BROKEN', 'FAIL'];
    const combinations = new Map();
    for (const run of list.runs) {
      const name = JSON.stringify([run.workload, faults(run), `${run.cluster} ${run.version}`]);
      if (!combinations.has(name)) combinations.set(name, []);
      combinations.get(name).push(run);
    }
    const card = make('section', undefined, 'card'), scroll = make('div', undefined, 'scroll'), table = make('table');
    const head = make('tr'), top = make('thead'), body = make('tbody');
    for (const name of ['workload', 'faults', 'system']) head.append(make('th', name));
    head.append(make('th', `${nights[0] ?? ''} … ${nights.at(-1) ?? ''}`), make('th', 'operations', 'n'), make('th', 'faults that took effect', 'n'));
    top.append(head);
    for (const [name, runs] of [...combinations].sort()) {
      const tr = make('tr'), cells = make('span', undefined, 'cells');
      for (const part of JSON.parse(name)) tr.append(make('td', part));
      for (const night of nights) {
        const of = runs.filter((run) => run.started.startsWith(night));
        if (!of.length) {
          const none = make('i', '', 'none');
          none.title = `${night}: not run`;
          cells.append(none);
          continue;
        }
        const run = of.reduce((a, b) => worst.indexOf(b.verdict) > worst.indexOf(a.verdict) ? b : a);
        const cell = make(run.stored ? 'a' : 'i', MARK[run.verdict], run.verdict);
        if (run.stored) cell.href = address(run);
        cell.title = `${night}: ${run.verdict}, ${of.length} run${of.length > 1 ? 's' : ''}, ` +
            `${of.reduce((n, r) => n + r.operations, 0).toLocaleString('en')} operations. ${run.headline}`;
        cells.append(cell);
      }
      const strip = make('td');
      strip.append(cells);
      tr.append(strip, make('td', runs.reduce((n, r) => n + r.operations, 0).toLocaleString('en'), 'n'),
                make('td', `${runs.reduce((n, r) => n + r.faults_took_effect, 0)}/${runs.reduce((n, r) => n + r.faults_planned, 0)}`, 'n'));
      body.append(tr);
    }
    table.append(top, body);
    scroll.append(table);
    const legend = make('p', '✓ PASS · ✕ FAIL · ? INCONCLUSIVE · ! BROKEN · empty: not run that night. The worst of a night is shown.', 'dim small');
    card.append(make('h2', 'Workload, faults and version, night by night'), scroll, legend);

    // Signatures: since when, until when, in which versions.
    const signatures = new Map();
    for (const run of list.runs)
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
    const card = make('section', undefined, 'card');
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
        const list = make('dl', undefined, 'facts');
        const row = (name, value) => { const div = make('div'); div.append(make('dt', name), make('dd', value)); list.append(div); };
        row('phase', live.phase ?? 'starting');
        row('events', `${live.events.toLocaleString('en')}, until ${live.at_s.toFixed(1)} s`);
        row('a second', `${Math.round(live.rates.ok)} ok, ${Math.round(live.rates.fail)} failed, ${Math.round(live.rates.info)} unknown (over the last ${live.over_s.toFixed(1)} s)`);
        row('faults on', live.faults_on.map((f) => f.hit).join('; ') || 'none');
        for (const node of live.nodes)
          row(node.node, !node.answers ? `does not answer: ${node.error}` : node.leader === node.node ? `★ leader, term ${node.term}` : `follows ${node.leader || 'nobody'}, term ${node.term}`);
        card.replaceChildren(list);
      }
      await new Promise((done) => setTimeout(done, 1000));
    }
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
