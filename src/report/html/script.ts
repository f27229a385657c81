/**
 * What the page does by itself: shows the list of all devices, a hundred at a time, as it is searched. It sets text alone, never
 * markup, and asks nobody.
 */
export const SCRIPT = `
const rows = JSON.parse(document.getElementById('rows').textContent)
const find = document.getElementById('find')
const state = document.getElementById('state')
const body = document.getElementById('devices')
const told = document.getElementById('told')
const [back, on] = ['back', 'on'].map((id) => document.getElementById(id))
const names = ['Device', 'On the target', 'DevEUI', 'State', 'Since', 'What is next, and what failed']
const size = 100
let page = 0
const cell = (text, name) => {
  const made = document.createElement('td')
  made.textContent = text
  if (text.length <= 36 && text.split(' ').length <= 2) made.className = 'id'
  if (name !== undefined) made.dataset.name = name
  return made
}
const show = () => {
  const words = find.value.trim().toLowerCase()
  const found = rows.filter(
    (row) => (state.value === '' || row[3] === state.value) && (words === '' || row.join(' ').toLowerCase().includes(words)),
  )
  const pages = Math.max(1, Math.ceil(found.length / size))
  page = Math.min(page, pages - 1)
  body.replaceChildren(
    ...found.slice(page * size, page * size + size).map((row) => {
      const made = document.createElement('tr')
      made.append(...row.map((text, index) => cell(text, names[index])))
      return made
    }),
  )
  told.textContent = found.length.toLocaleString('en') + ' of ' + rows.length.toLocaleString('en') + ' devices, page ' + (page + 1) + ' of ' + pages
  back.disabled = page === 0
  on.disabled = page === pages - 1
}
const first = () => {
  page = 0
  show()
}
find.addEventListener('input', first)
state.addEventListener('change', first)
document.getElementById('search').addEventListener('submit', (event) => event.preventDefault())
back.addEventListener('click', () => {
  page -= 1
  show()
})
on.addEventListener('click', () => {
  page += 1
  show()
})
show()
`
