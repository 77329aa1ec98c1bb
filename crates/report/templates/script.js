
'use strict';
// The page is whole without this: here are the readouts under the pointer, the filters and the enlarged view.
for (const plot of document.querySelectorAll('[data-plot]')) {
  const rows = plot.querySelectorAll('details.all tbody tr');
  const charts = [...plot.querySelectorAll('svg.chart')].map((svg) => svg.querySelectorAll('.at'));
  const shown = plot.querySelectorAll('[data-c]');
  const names = [...plot.querySelectorAll('details.all thead th')].map((th) => th.textContent);
  const pick = plot.querySelector('.pick');
  const slider = pick.querySelector('input');
  if (rows.length < 1) continue;
  plot.classList.add('live');
  pick.hidden = rows.length < 2;
  let current = -1;
  const show = (i) => {
    for (const at of charts) {
      at[current]?.classList.remove('on');
      at[i]?.classList.add('on');
    }
    current = i;
    const texts = [...rows[i].cells].map((cell) => cell.textContent);
    for (const dd of shown) dd.textContent = texts[dd.dataset.c];
    slider.value = i;
    slider.setAttribute('aria-valuetext', texts.map((text, c) => names[c] + ' ' + text).join(', '));
  };
  for (const at of charts) at.forEach((column, i) => column.addEventListener('pointerenter', () => show(i)));
  slider.addEventListener('input', () => show(Number(slider.value)));
  // A browser's own tooltip would cover the chart that tells the same.
  for (const title of plot.querySelectorAll('.at > title')) title.remove();
}

for (const gallery of document.querySelectorAll('[data-gallery]')) {
  const cards = [...gallery.querySelectorAll('.card')];
  const filters = [...gallery.querySelectorAll('[data-filter]')];
  const status = gallery.querySelector('[role=status]');
  const dialog = gallery.querySelector('dialog');
  const place = dialog.querySelector('.shown');
  const which = dialog.querySelector('.which');
  const title = dialog.getAttribute('aria-label');
  let open = 0;
  const visible = () => cards.filter((card) => !card.hidden);
  gallery.querySelector('.filters').hidden = false;
  const filter = () => {
    for (const card of cards) card.hidden = filters.some((f) => f.value !== '' && card.dataset[f.dataset.filter] !== f.value);
    status.textContent = visible().length + ' of ' + cards.length + ' shown';
  };
  for (const select of filters) select.addEventListener('change', filter);
  filter();
  const enlarge = (card) => {
    const all = visible();
    open = all.indexOf(card);
    which.textContent = 'image ' + card.dataset.index;
    dialog.setAttribute('aria-label', title + ': image ' + card.dataset.index + ', ' + (open + 1) + ' of ' + all.length);
    place.replaceChildren(...['.said', '.strip', '.answers', '.likeliest'].flatMap((part) => [...card.querySelectorAll(part)]).map((part) => part.cloneNode(true)));
    if (!dialog.open) dialog.showModal();
  };
  const step = (by) => {
    const all = visible();
    enlarge(all[(open + by + all.length) % all.length]);
  };
  for (const card of cards) {
    const link = card.querySelector('.enlarge');
    link.setAttribute('role', 'button');
    link.addEventListener('click', (event) => { event.preventDefault(); enlarge(card); });
    link.addEventListener('keydown', (event) => { if (event.key === ' ') { event.preventDefault(); enlarge(card); } });
  }
  dialog.querySelector('[data-close]').addEventListener('click', () => dialog.close());
  for (const button of dialog.querySelectorAll('[data-step]')) button.addEventListener('click', () => step(Number(button.dataset.step)));
  dialog.addEventListener('keydown', (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) { event.preventDefault(); step(by); }
  });
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
}

const links = new Map([...document.querySelectorAll('.contents a')].map((a) => [a.hash.slice(1), a]));
const watch = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    for (const link of links.values()) link.removeAttribute('aria-current');
    links.get(entry.target.id)?.setAttribute('aria-current', 'true');
  }
}, { rootMargin: '0px 0px -75% 0px' });
for (const section of document.querySelectorAll('main > section')) watch.observe(section);
