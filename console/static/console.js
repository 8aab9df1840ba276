// Fetches the page anew every few seconds and puts its main part in place,
// so that neither the scroll position nor an opened detail is lost.
"use strict";

const main = document.getElementById("main");
const period = Number(main.dataset.refresh) * 1000;

async function refresh() {
  if (document.hidden) return;
  let page;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    main.classList.add("stale");
    return;
  }
  const fresh = page.getElementById("main");
  if (!fresh) return;
  const before = main.querySelectorAll("details");
  fresh.querySelectorAll("details").forEach((detail, index) => {
    detail.open = Boolean(before[index] && before[index].open);
  });
  const place = document.activeElement instanceof HTMLAnchorElement
    && main.contains(document.activeElement) && document.activeElement.getAttribute("href");
  main.classList.remove("stale");
  main.replaceChildren(...fresh.childNodes);
  if (place) main.querySelector(`a[href="${CSS.escape(place)}"]`)?.focus();
}

setInterval(refresh, period);
document.addEventListener("visibilitychange", refresh);
