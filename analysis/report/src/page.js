'use strict';
// What the page can do besides being read: copy the command, change its colours, tell the values of its plots.
(() => {
  const all = (query, within = document) => [...within.querySelectorAll(query)];
  const make = (tag, name) => Object.assign(document.createElement(tag), { className: name });

  for (const button of all('button.copy')) {
    const code = button.previousElementSibling;
    button.hidden = false;
    button.onclick = async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        getSelection().selectAllChildren(code);
        document.execCommand('copy');
      }
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 2000);
    };
  }

  const themes = ['auto', 'dark', 'light'];
  for (const button of all('button.theme')) {
    const apply = (theme) => {
      document.documentElement.dataset.theme = theme;
      button.textContent = 'Colours: ' + theme;
      try { localStorage.setItem('wavetank-theme', theme); } catch { /* a page need not remember */ }
    };
    let kept = null;
    try { kept = localStorage.getItem('wavetank-theme'); } catch { /* then it starts afresh */ }
    apply(themes.includes(kept) ? kept : 'auto');
    button.hidden = false;
    button.onclick = () => {
      const at = themes.indexOf(document.documentElement.dataset.theme);
      apply(themes[(at + 1) % themes.length]);
    };
  }

  const spaced = (whole) => String(whole).replace(/\B(?=(\d{3})+$)/g, '\u202f');
  const number = (value) => {
    const size = Math.abs(value);
    if (size >= 1000) return spaced(Math.round(value));
    if (size >= 100 || Number.isInteger(value)) return String(Math.round(value));
    return String(Number(value.toPrecision(3)));
  };
  const two = (value) => String(value).padStart(2, '0');
  const time = (seconds) => {
    const tenths = Math.round(seconds * 10), whole = Math.floor(tenths / 10), rest = tenths % 10;
    const hours = Math.floor(whole / 3600), minutes = Math.floor(whole / 60) % 60;
    const head = hours ? hours + ':' + two(minutes) : String(minutes);
    return head + ':' + two(whole % 60) + (rest ? '.' + rest : '');
  };
  const reading = {
    share: (value) => {
      const text = (value * 100).toFixed(2).replace(/\.?0+$/, '');
      if (text === '100' && value < 1) return '> 99.99 %';
      return (text === '0' && value > 0 ? '< 0.01' : text) + ' %';
    },
    number: (value, unit) => number(value) + (unit && ' ' + unit),
    time,
    log_ms: (value) => {
      const ms = 10 ** value;
      return ms >= 1000 ? number(ms / 1000) + ' s' : number(ms) + ' ms';
    },
    key: (value) => 'keys from 0x' + two(Math.min(255, Math.floor(value * 32) * 8).toString(16)) + '…',
  };
  const read = (scale, value) => reading[scale.read](value, scale.unit);
  const nearest = (points, x) => points.reduce(
    (best, point) => (best === null || Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best), null);

  const watch = (plot, box, place) => {
    const { from, to } = plot.x;
    const series = plot.panels.flatMap((panel) => panel.series);
    const xs = [...new Set(series.flatMap((one) => one.points.map((point) => point[0])))].sort((a, b) => a - b);
    if (xs.length === 0) return;
    const rule = make('div', 'rule'), tip = make('div', 'tip'), dots = make('div', 'dots');
    tip.setAttribute('role', 'status');
    const parts = [rule, dots, tip];
    parts.forEach((part) => { part.hidden = true; box.append(part); });
    let at = -1;
    const across = (x) => (place.x[0] + (x - from) / (to - from) * (place.x[1] - place.x[0])) / place.width * 100;
    const hide = () => { at = -1; parts.forEach((part) => { part.hidden = true; }); };
    const show = (index) => {
      at = Math.max(0, Math.min(xs.length - 1, index));
      const x = xs[at];
      dots.replaceChildren();
      tip.replaceChildren(Object.assign(make('b', ''), { textContent: read(plot.x, x) }));
      plot.panels.forEach((panel, number) => {
        const [top, bottom] = place.y[number];
        for (const one of panel.series) {
          const point = nearest(one.points, x);
          if (point === null || Math.abs(point[0] - x) > (to - from) / 40) continue;
          const line = make('div', ''), mark = make('i', '');
          mark.style.background = one.colour;
          line.append(mark, (one.name ? one.name + ' ' : '') + read(panel.y, point[1]));
          tip.append(line);
          if (!one.drawn) continue;
          const share = (point[1] - panel.y.from) / (panel.y.to - panel.y.from);
          const dot = make('i', '');
          dot.style.left = across(point[0]) + '%';
          dot.style.top = (bottom - share * (bottom - top)) / place.height * 100 + '%';
          dot.style.background = one.colour;
          dots.append(dot);
        }
      });
      const left = across(x), first = place.y[0][0], last = place.y[place.y.length - 1][1];
      rule.style.cssText = `left:${left}%;top:${first / place.height * 100}%;height:${(last - first) / place.height * 100}%`;
      tip.style.cssText = left > 50 ? `right:${100 - left}%` : `left:${left}%`;
      tip.style.top = first / place.height * 100 + '%';
      parts.forEach((part) => { part.hidden = false; });
    };
    const point = (event) => {
      const frame = box.getBoundingClientRect();
      const px = (event.clientX - frame.left) / frame.width * place.width;
      const x = from + (px - place.x[0]) / (place.x[1] - place.x[0]) * (to - from);
      show(xs.indexOf(nearest(xs.map((one) => [one]), x)[0]));
    };
    box.addEventListener('pointermove', point);
    box.addEventListener('pointerdown', point);
    box.addEventListener('pointerleave', hide);
    box.addEventListener('blur', hide);
    box.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: xs.length - 1 }[event.key];
      if (event.key === 'Escape') hide();
      if (step === undefined) return;
      event.preventDefault();
      show(step);
    });
    box.tabIndex = 0;
  };
  for (const plot of JSON.parse(document.getElementById('values').textContent)) {
    for (const layout of ['wide', 'narrow']) {
      watch(plot, document.querySelector(`#${plot.name} .${layout}`), plot[layout]);
    }
  }
})();
