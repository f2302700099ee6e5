'use strict';
// Shows below a chart which night is under the pointer, with a link to the report of that night.
const source = document.getElementById('data');
let data;
const read = () => (data ??= JSON.parse(source.textContent));
const short = (value) => Number(value).toLocaleString('en', { maximumSignificantDigits: 4 });
for (const figure of document.querySelectorAll('figure[data-series]')) {
  const plot = figure.querySelector('.plot');
  const said = figure.querySelector('.night');
  const show = (event) => {
    const { nights, series } = read();
    const points = series[figure.dataset.series][2];
    const box = plot.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * Math.max(nights.length - 1, 1);
    let best = points[0];
    for (const point of points) if (Math.abs(point[0] - at) < Math.abs(best[0] - at)) best = point;
    if (!best) return;
    const [date, run, link] = nights[best[0]];
    const name = document.createElement(link ? 'a' : 'span');
    if (link) name.href = link;
    name.textContent = `${date} ${run}`;
    said.replaceChildren(name, `: ${short(best[1])} (${short(best[2])} to ${short(best[3])})${best[4] ? '' : ', not judged'}`);
  };
  figure.addEventListener('pointermove', show);
  figure.addEventListener('pointerdown', show);
}
// A link to a series opens it.
const open = () => {
  const target = document.getElementById(location.hash.slice(1));
  if (target && target.matches('details')) target.open = true;
};
addEventListener('hashchange', open);
open();
for (const button of document.querySelectorAll('button[data-save]')) {
  button.addEventListener('click', () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([source.textContent], { type: button.dataset.type }));
    link.download = button.dataset.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  });
}
