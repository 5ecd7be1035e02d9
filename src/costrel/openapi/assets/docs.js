// Starts Swagger UI on the docs page. It is a file of its own, so that a policy of script-src 'self' suffices.
"use strict";

(() => {
  const SAFE = new Set(["GET", "HEAD", "OPTIONS", "TRACE"]);
  const dark = matchMedia("(prefers-color-scheme: dark)");

  function paint() {
    document.documentElement.classList.toggle("dark-mode", dark.matches);
  }

  function settingsIn(page) {
    const main = page.getElementById("docs");
    return main === null ? {} : JSON.parse(main.dataset.settings);
  }

  // The token belongs to the session, which a request may have renewed: take it from the page as it is now.
  async function token() {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return settingsIn(page).csrf?.token;
  }

  function withToken(csrf) {
    return async (request) => {
      const isOwn = new URL(request.url, location.href).origin === location.origin;
      if (isOwn && !SAFE.has((request.method || "GET").toUpperCase())) {
        request.headers = { ...request.headers, [csrf.header]: (await token()) ?? csrf.token };
      }
      return request;
    };
  }

  paint();
  dark.addEventListener("change", paint);
  document.getElementById("versions")?.addEventListener("change", (event) => {
    const query = new URLSearchParams({ api: event.target.value });
    location.assign(`${location.pathname}?${query}`);
  });
  const main = document.getElementById("docs");
  if (main === null) return;
  // What Swagger UI lacks for screen readers: a second level for its heading, below that of the page; a landmark for the
  // description; names for the tables of responses; and no link inside the button of an operation, which sets the fragment of the URL as well.
  new MutationObserver(() => {
    for (const title of main.querySelectorAll(".info .title:not([aria-level])")) title.setAttribute("aria-level", "2");
    for (const part of main.querySelectorAll(".information-container:not([role])")) {
      part.setAttribute("role", "region");
      part.setAttribute("aria-label", "About this API");
    }
    for (const table of main.querySelectorAll("table[role=region]:not([aria-label])")) {
      table.setAttribute("aria-label", `Responses of ${table.id.replace(/_responses$/, "")}`);
    }
    for (const link of main.querySelectorAll(".opblock-summary-control a[href]")) link.removeAttribute("href");
  }).observe(main, { childList: true, subtree: true });
  const settings = settingsIn(document);
  SwaggerUIBundle({
    url: new URL(settings.url, location.href).href,
    domNode: main,
    deepLinking: true,
    displayRequestDuration: true,
    validatorUrl: null,
    ...(settings.csrf ? { requestInterceptor: withToken(settings.csrf) } : {}),
  });
})();
