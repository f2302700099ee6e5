'use strict';
// Everything on the page can be read without this script. It adds comfort: to sort, filter and copy tables, to find a lock in every
// plot, to look at one environment, to save data unpacked.
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const make = (name, properties, ...content) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...content);
  return element;
};
const button = (press, ...content) => make('button', { type: 'button', onclick: press }, ...content);
const press = (element, pressed) => element.setAttribute('aria-pressed', pressed);

// Sorting: every heading of a sortable table becomes a button. A second press turns the order round.
const sortable = (table) => {
  const headings = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value);
  };
  const missing = (value) => value === '' || value === '\u2013';
  const before = (a, b, up) => {
    // Missing values stay at the end in either order.
    if (missing(a) || missing(b)) return missing(a) - missing(b);
    const order = typeof a === 'number' && typeof b === 'number'
      ? a - b
      : String(a).localeCompare(String(b), 'en', { numeric: true });
    return up ? order : -order;
  };
  headings.forEach((heading, column) => {
    heading.append(button(() => {
      const up = heading.getAttribute('aria-sort') !== 'ascending';
      headings.forEach((other) => other.removeAttribute('aria-sort'));
      heading.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      const rows = [...body.rows].map((row) => [key(row, column), row]);
      rows.sort((a, b) => before(a[0], b[0], up));
      body.append(...rows.map((pair) => pair[1]));
    }, ...heading.childNodes));
  });
};

// What stands in a table now, as tab-separated values: figures as figures, and no small print.
const text = (cell) => {
  if (cell.dataset.value !== undefined) return cell.dataset.value;
  const copy = cell.cloneNode(true);
  all('small, details', copy).forEach((part) => part.remove());
  return copy.textContent.trim();
};
const shown = (element) => element.getClientRects().length > 0;
const tsv = (table) => [...table.rows].filter(shown)
  .map((row) => [...row.cells].filter(shown).map(text).join('\t')).join('\n') + '\n';
const copy = async (words) => {
  try {
    await navigator.clipboard.writeText(words);
  } catch {
    // A page that was not fetched over a secure connection has no clipboard of its own.
    const area = document.body.appendChild(make('textarea', { value: words }));
    area.select();
    document.execCommand('copy');
    area.remove();
  }
};

for (const table of all('table.sortable')) {
  sortable(table);
  const rows = [...table.tBodies[0].rows];
  const tools = make('div', { className: 'tools' });
  const said = make('output', {});
  if (rows.length > 8) {
    const filter = make('input', { type: 'search', oninput: () => {
      const words = filter.value.toLowerCase().split(/\s+/);
      rows.forEach((row) => {
        const content = row.textContent.toLowerCase();
        row.hidden = !words.every((word) => content.includes(word));
      });
      said.value = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
    } });
    tools.append(make('label', {}, 'Filter ', filter));
  }
  if (table.matches('.many')) {
    table.classList.add('few');
    const names = [...table.rows[0].cells].map((heading) => heading.textContent);
    rows.forEach((row) => [...row.cells].slice(1, 8).forEach((cell, place) => { cell.dataset.label = names[place + 1]; }));
    const columns = button(() => press(columns, !table.classList.toggle('few')), `All ${table.rows[0].cells.length} columns`);
    press(columns, false);
    tools.append(columns);
  }
  tools.append(button(async () => {
    await copy(tsv(table));
    said.value = 'Copied';
  }, 'Copy as TSV'), said);
  table.parentNode.before(tools);
}

// A lock that is pressed in the list of locks, or in a plot, stands out in every plot.
const chosen = new Set();
const choose = (lock) => {
  if (!chosen.delete(lock)) chosen.add(lock);
  all('g[data-lock]').forEach((group) => {
    group.classList.toggle('faint', chosen.size > 0 && !chosen.has(group.dataset.lock));
  });
  all('[data-lock] > button').forEach((key) => press(key, chosen.has(key.parentNode.dataset.lock)));
};
for (const key of all('.legend [data-lock]')) {
  const own = button(() => choose(key.dataset.lock), ...key.childNodes);
  press(own, false);
  key.append(own);
}
for (const group of all('g[data-lock]')) group.addEventListener('click', () => choose(group.dataset.lock));

// Plots of one environment, and those that compare several.
for (const choice of all('.choice')) {
  const figures = all('figure[data-env]', choice.parentNode);
  const names = [...new Set(figures.map((figure) => figure.dataset.env))];
  if (names.length < 2) continue;
  const buttons = ['all environments', ...names].map((name, place) => {
    const own = button(() => {
      buttons.forEach((other) => press(other, other === own));
      figures.forEach((figure) => { figure.hidden = place > 0 && figure.dataset.env !== name; });
    }, name);
    press(own, place === 0);
    return own;
  });
  choice.prepend(make('div', { className: 'tools' }, 'Plots of ', ...buttons));
}

// A link to a plot of an environment that is not shown shows it.
addEventListener('hashchange', () => {
  const target = document.getElementById(location.hash.slice(1));
  if (target && target.hidden) target.hidden = false;
});

// Saving: a link saves its file compressed; where the browser can unpack it, it is saved unpacked.
for (const link of all('a[download$=".gz"]')) {
  link.addEventListener('click', async (event) => {
    if (!self.DecompressionStream) return;
    event.preventDefault();
    const bytes = Uint8Array.from(atob(link.href.split(',')[1]), (letter) => letter.charCodeAt(0));
    const file = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    const href = URL.createObjectURL(await new Response(file).blob());
    make('a', { href, download: link.download.slice(0, -3) }).click();
    setTimeout(() => URL.revokeObjectURL(href), 10000);
  });
}
