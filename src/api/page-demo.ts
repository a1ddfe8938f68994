/** A page about the product with its chat on it. Its script and style are built beside the chat's (`npm run build`). */
export const DEMO_HEAD = `<link rel="stylesheet" href="/widget/demo.css">
<script type="module" src="/widget/demo.js"></script>`

export const DEMO = `<header class="bar">
<a class="name" href="/demo"><img src="/assets/icon.svg" alt="" width="28" height="28">Helpdesk</a>
<nav aria-label="Pages"><a href="/">Dashboard</a><a href="/docs">API</a></nav>
</header>
<main>
<section class="hero">
<h1>Support that shows where it stands</h1>
<p class="lead">Customers ask. The assistant answers with sentences quoted from your own documents and shows each source.
What it cannot prove, it does not say: a person takes over.</p>
<p class="acts"><button type="button" data-ask="">Open the chat</button></p>
</section>
<section aria-labelledby="try">
<h2 id="try">Try it here</h2>
<p>The chat on this page is the real one. It answers from this product’s own documentation.</p>
<ul class="asks">
<li><button type="button" data-ask="What do I need to start it?">What do I need to start it?</button></li>
<li><button type="button" data-ask="What happens if the assistant does not know the answer?">What happens if the assistant does not know the answer?</button></li>
<li><button type="button" data-ask="How do I pause the assistant?">How do I pause the assistant?</button></li>
<li><button type="button" data-ask="I would like to talk to a person.">I would like to talk to a person.</button></li>
</ul>
</section>
<section aria-labelledby="how">
<h2 id="how">What happens to a message</h2>
<ol class="steps">
<li><h3>It is kept</h3><p>A message is stored on disk before it is acknowledged, once, however often a bad line sends it.</p></li>
<li><h3>It is looked up</h3><p>The assistant searches the company’s documents, and nothing else, for what answers it.</p></li>
<li><h3>It is proved</h3><p>Each sentence of the answer rests on a passage. Open a source and read the passage yourself.</p></li>
<li><h3>Or a person takes it</h3><p>Without enough proof, or when somebody asks for a person, the team gets it, with the reason.</p></li>
</ol>
</section>
<section aria-labelledby="limits">
<h2 id="limits">What it does not do</h2>
<ul class="plain">
<li>It does not answer from general knowledge, even where that would sound better.</li>
<li>It does not pretend to be a person. Who is talking stands at the top of the chat.</li>
<li>It does not run anybody else’s scripts, and this page asks no other server for anything.</li>
</ul>
</section>
<section aria-labelledby="yours">
<h2 id="yours">Put it on your site</h2>
<p>One line, with your channel’s key from the dashboard:</p>
<pre tabindex="0"><code>&lt;script src="https://support.example.com/widget.js"
        data-channel="YOUR_KEY" async&gt;&lt;/script&gt;</code></pre>
</section>
</main>`
