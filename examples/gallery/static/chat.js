// The chat: what is said comes over a WebSocket, which is opened anew whenever it ends.

const pane = document.querySelector("#chat");
const list = pane.querySelector("ol");
const template = pane.querySelector("template");
const state = pane.querySelector(".state");
const form = pane.querySelector("form"); // only for who is signed in
const problem = pane.querySelector(".problem");
const LONGEST_PAUSE = 15_000;
const KEEP = 200;

let socket;
let last = ""; // the identifier of the last message, so that none comes twice after a break
let pause = 1000;
let sent = "";

function connect() {
  const url = new URL(pane.dataset.url, location.href);
  url.protocol = url.protocol.replace("http", "ws");
  if (last) url.searchParams.set("after", last);
  socket = new WebSocket(url);
  socket.addEventListener("open", () => {
    pause = 1000;
    say("Connected", true);
  });
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(data);
    if (message.problem) refuse(message.problem);
    else show(message);
  });
  socket.addEventListener("close", () => {
    say("Disconnected. Reconnecting…", false);
    setTimeout(connect, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  });
}

function show({ id, who, text, at }) {
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const item = template.content.cloneNode(true);
  item.querySelector(".who").textContent = who;
  item.querySelector(".text").textContent = text;
  const time = item.querySelector("time");
  time.dateTime = new Date(at * 1000).toISOString();
  time.textContent = new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  list.append(item);
  while (list.children.length > KEEP) list.firstElementChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
  last = id;
}

function refuse(text) {
  if (!problem) return;
  problem.textContent = text;
  if (!form.elements.text.value) form.elements.text.value = sent; // nothing that was typed is lost
}

function say(text, connected) {
  state.textContent = text;
  state.classList.toggle("on", connected);
}

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const field = form.elements.text;
  if (socket.readyState !== WebSocket.OPEN) return refuse("Not connected. Please try again in a moment.");
  problem.textContent = "";
  sent = field.value;
  socket.send(sent);
  field.value = "";
});

connect();
