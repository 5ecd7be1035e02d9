// The live feed: what happens comes as server-sent events. The browser connects again by itself.

const pane = document.querySelector("#feed");
const list = pane.querySelector("ol");
const template = pane.querySelector("template");
const state = pane.querySelector(".state");
const KEEP = 30;

const source = new EventSource(pane.dataset.url);
source.addEventListener("open", () => say("Connected", true));
source.addEventListener("message", ({ data }) => show(JSON.parse(data)));
source.addEventListener("error", () => {
  const ended = source.readyState === EventSource.CLOSED; // the server refused it
  say(ended ? "Disconnected. Reload the page." : "Disconnected. Reconnecting…", false);
});

function show({ key, who, did, title, page, image, at }) {
  if (document.getElementById(key)) return; // it was told before
  const item = template.content.cloneNode(true).firstElementChild;
  item.id = key;
  item.querySelector("a").href = page;
  item.querySelector("img").src = image;
  item.querySelector(".who").textContent = who;
  item.querySelector(".did").textContent = did;
  item.querySelector(".title").textContent = title;
  const time = item.querySelector("time");
  time.dateTime = new Date(at * 1000).toISOString();
  time.textContent = new Date(at * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  list.prepend(item);
  while (list.children.length > KEEP) list.lastElementChild.remove();
}

function say(text, connected) {
  state.textContent = text;
  state.classList.toggle("on", connected);
}
