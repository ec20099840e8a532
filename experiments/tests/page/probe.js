addEventListener("load", async () => {
  const loading = [];
  const figures = [...document.querySelectorAll("figure svg")];
  const [broken, cut, faint] = [[], [], []];
  for (const [index, figure] of figures.entries()) {
    const section = figure.closest("section");
    const name = (section ? section.id : "page") + ", figure " + (index + 1);
    const box = figure.getBoundingClientRect();
    if (!(box.width > 0 && box.height > 0)) { broken.push(name + ": no extent"); continue; }
    for (const text of figure.querySelectorAll("text")) {
      const label = text.getBoundingClientRect();
      if (label.left < box.left - 1 || label.right > box.right + 1 || label.top < box.top - 1 || label.bottom > box.bottom + 1) {
        cut.push(name + ": " + text.textContent);
      }
    }
    const scale = box.width / figure.viewBox.baseVal.width;
    const sizes = [...figure.querySelectorAll("text")].map((text) => parseFloat(getComputedStyle(text).fontSize) * scale);
    if (Math.min(...sizes) < 7) { faint.push(name + ": " + Math.min(...sizes)); }
    for (const image of figure.querySelectorAll("image")) {
      loading.push(new Promise((resolve) => {
        const copy = new Image();
        copy.onload = resolve;
        copy.onerror = () => { broken.push(name + ": an image cannot be decoded"); resolve(); };
        copy.src = image.getAttribute("href");
      }));
    }
  }
  await Promise.all(loading);
  const root = document.documentElement;
  const overflow = Math.max(0, root.scrollWidth - root.clientWidth);
  parent.postMessage(JSON.stringify({ overflow, figures: figures.length, broken, cut, faint }), "*");
});
