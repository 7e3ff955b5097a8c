import { mount } from 'svelte'
import App from './App.svelte'
import './style.css'

// What index.html shows until this script is there.
const target = document.getElementById('painel')!
target.replaceChildren()
mount(App, { target })
