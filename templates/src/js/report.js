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
// Saving: results.json is saved as it stands in the page, because parsing it would round large integers. The CSV stands in the
// page as one JSON string.
for (const button of document.querySelectorAll('button[data-save]')) {
  button.addEventListener('click', () => {
    const content = document.getElementById(button.dataset.save).textContent;
    const text = button.dataset.type === 'text/csv' ? JSON.parse(content) : content + '\n';
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: button.dataset.type }));
    link.download = button.dataset.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
}
