// What a lesson's page looks like, as numbers. Returns {cut: [...], faint: [...], large: [...]}, one line for each fault.
() => {
  const notebook = [...document.querySelectorAll(".jp-Notebook")].find(one => one.checkVisibility());
  const short = text => text.trim().replace(/\s+/g, " ").slice(0, 80);

  // Lines of code, and text and tables below them, that reach beyond their box at the side.
  const boxes = [...notebook.querySelectorAll(".cm-scroller, .jp-RenderedHTMLCommon, .jp-OutputArea-output")];
  const cut = boxes.filter(box => box.checkVisibility() && box.scrollWidth > box.clientWidth + 1).map(box => {
    const lines = [...box.querySelectorAll(".cm-line")].map(line => line.textContent);
    const what = lines.length ? lines.reduce((a, b) => a.length >= b.length ? a : b) : box.textContent;
    return `${short(what)}: ${box.scrollWidth} of ${box.clientWidth} pixels`;
  });

  // Colours as the browser paints them: [red, green, blue, alpha], each from 0 to 1.
  const brush = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const known = new Map();
  const colour = name => {
    if (!known.has(name)) {
      brush.clearRect(0, 0, 1, 1);
      brush.fillStyle = name;
      brush.fillRect(0, 0, 1, 1);
      known.set(name, [...brush.getImageData(0, 0, 1, 1).data].map(part => part / 255));
    }
    return known.get(name);
  };
  const over = (top, below) => below.map((part, i) => i < 3 ? top[i] * top[3] + part * (1 - top[3]) : 1);
  const background = element => {
    const own = colour(getComputedStyle(element).backgroundColor);
    if (own[3] === 1) return own;
    return over(own, element.parentElement ? background(element.parentElement) : [1, 1, 1, 1]);
  };
  // The ratio of contrast of WCAG 2.2.
  const luminance = ([...parts]) => parts.slice(0, 3)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (light + 0.05) / (dark + 0.05);
  };
  const opacity = element => Number(getComputedStyle(element).opacity)
    * (element.parentElement ? opacity(element.parentElement) : 1);

  // Not the colours of code, which are JupyterLab's own, nor what cannot be pressed, as WCAG has it.
  const faint = [];
  for (const root of notebook.querySelectorAll(".jp-RenderedHTMLCommon, .jp-OutputArea-output")) {
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      const size = element.getBoundingClientRect();
      const seen = element.checkVisibility({visibilityProperty: true}) && size.width > 1 && size.height > 1;
      if (!texts.currentNode.data.trim() || !seen || element.closest("pre code span, :disabled")) continue;
      const behind = background(element), ink = [...colour(getComputedStyle(element).color)];
      ink[3] *= opacity(element);
      const ratio = contrast(over(ink, behind), behind);
      if (ratio < 4.5) faint.push(`${short(texts.currentNode.data)}: ${ratio.toFixed(2)} : 1`);
    }
  }

  // Pictures that do not fit what is seen of the notebook at once.
  const panel = notebook.querySelector(".jp-WindowedPanel-outer").getBoundingClientRect();
  const large = [...notebook.querySelectorAll(".jp-OutputArea-output img")].map(one => one.getBoundingClientRect())
    .filter(size => size.height > panel.height || size.width > panel.width)
    .map(size => `a picture of ${Math.round(size.width)} × ${Math.round(size.height)} pixels, `
      + `where ${Math.round(panel.width)} × ${Math.round(panel.height)} are seen`);
  return {cut, faint: [...new Set(faint)], large};
}
