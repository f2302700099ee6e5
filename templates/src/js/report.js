'use strict';
// Sorting: every heading of a sortable table becomes a button. A second press turns the order round.
for (const table of document.querySelectorAll('table.sortable')) {
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
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener('click', () => {
      const up = heading.getAttribute('aria-sort') !== 'ascending';
      headings.forEach((other) => other.removeAttribute('aria-sort'));
      heading.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      const rows = [...body.rows].map((row) => [key(row, column), row]);
      rows.sort((a, b) => before(a[0], b[0], up));
      body.append(...rows.map((pair) => pair[1]));
    });
  });
}
// Saving: a link saves its file compressed; where the browser can unpack it, it is saved unpacked.
for (const link of document.querySelectorAll('a[download$=".gz"]')) {
  link.addEventListener('click', async (event) => {
    if (!self.DecompressionStream || link.href.startsWith('blob:')) return;
    event.preventDefault();
    const bytes = Uint8Array.from(atob(link.href.split(',')[1]), (letter) => letter.charCodeAt(0));
    const file = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    const unpacked = document.createElement('a');
    unpacked.href = URL.createObjectURL(await new Response(file).blob());
    unpacked.download = link.download.slice(0, -3);
    unpacked.click();
    setTimeout(() => URL.revokeObjectURL(unpacked.href), 10000);
  });
}
