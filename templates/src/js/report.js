'use strict';
// Sorting: every heading of a sortable table becomes a button. A second press turns the order round.
for (const table of document.querySelectorAll('table.sortable')) {
  const headings = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const key = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.value === undefined ? cell.textContent.trim() : Number(cell.dataset.value);
  };
  const before = (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    if (typeof a === 'number') return -1;
    if (typeof b === 'number') return 1;
    if (a === '' || b === '') return (a === '') - (b === '');
    return a.localeCompare(b, 'en', { numeric: true });
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
      rows.sort((a, b) => (up ? before(a[0], b[0]) : before(b[0], a[0])));
      body.append(...rows.map((pair) => pair[1]));
    });
  });
}
// Saving: the data lie in the page as JSON; what is saved as CSV lies there as one JSON string.
for (const button of document.querySelectorAll('button[data-save]')) {
  button.addEventListener('click', () => {
    const data = JSON.parse(document.getElementById(button.dataset.save).textContent);
    const text = typeof data === 'string' ? data : JSON.stringify(data, null, 2) + '\n';
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: button.dataset.type }));
    link.download = button.dataset.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
}
