-- From the Markdown that tools/handout_text.py writes to typst or HTML: pictures, tables, boxes, formulas, links.
-- Metadata: stem, the lesson's name.  A Div of a class below becomes a typst function of the same name.
local stem = ""
local typst = FORMAT == "typst"
local BOXES = { answer = true, asked = true, boxed = true, hints = true, lead = true, minutes = true,
  misconceptions = true, predict = true, question = true, room = true, seen = true, solution = true }

local function quoted(text)
  return '"' .. text:gsub("\\", "\\\\"):gsub('"', '\\"'):gsub("\n", "\\n") .. '"'
end

local function escaped(text)  -- as the value of an HTML attribute
  return text:gsub("&", "&amp;"):gsub('"', "&quot;"):gsub("<", "&lt;"):gsub(">", "&gt;")
end

local function raw(text)
  return pandoc.RawBlock(FORMAT, text)
end

local function wrapped(before, blocks, after)
  local all = pandoc.List({ raw(before) })
  all:extend(blocks)
  all:insert(raw(after))
  return all
end

-- The name of a heading: letters, digits and hyphens. JupyterLab's own (Which-luck-is-larger?) gives the same.
local function anchor(text)
  text = pandoc.text.lower(text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
  return (text:gsub("[^%w\128-\255]+", "-"):gsub("^%-", ""):gsub("%-$", ""))
end

-- A formula in words, for those who hear it; a command that is not listed keeps its name.
local WORDS = { { ",?%s*\\qquad", "; " }, { "\\[,;!]", " " }, { "\\mathrm{(.-)}", "%1" }, { "\\varphi", "phi" },
  { "%^%*", " star" }, { "%^{(.-)}", " to the power %1" }, { "%^(%w)", " to the power %1" }, { "_{(.-)}", " sub %1" },
  { "\\frac{(.-)}{(.-)}", "%1 over %2" }, { "\\(%a+)", "%1" }, { "\n", " " }, { " +", " " } }
local function in_words(tex)
  for _, pair in ipairs(WORDS) do tex = tex:gsub(pair[1], pair[2]) end
  return tex
end

-- pandas puts an index's name into a header row of its own; a book puts it above the index.
local function one_header(head)
  local rows = head.rows
  if #rows ~= 2 or #rows[1].cells ~= #rows[2].cells then return end
  for i, cell in ipairs(rows[1].cells) do
    if #cell.contents > 0 and #rows[2].cells[i].contents > 0 then return end
  end
  for i, cell in ipairs(rows[1].cells) do
    if #cell.contents == 0 then rows[1].cells[i] = rows[2].cells[i] end
  end
  head.rows = { rows[1] }
end

-- A table of results. Columns of numbers stand right, all others left, whatever pandas says.
local function aligned(tbl)
  one_header(tbl.head)
  for i = 1, #tbl.colspecs do
    local numbers = true
    for _, body in ipairs(tbl.bodies) do
      for _, row in ipairs(body.body) do
        local cell = row.cells[i]
        if cell and not pandoc.utils.stringify(cell.contents):match("^[-−]?[%d.,]*$") then numbers = false end
      end
    end
    tbl.colspecs[i] = { numbers and "AlignRight" or "AlignLeft", nil }
  end
  tbl.classes:insert("data")
  return tbl:walk({ Cell = function(cell) cell.alignment = "AlignDefault"; return cell end })
end

-- A table whose first column names its rows: tools/row_headings.py makes headings of it.
local function in_print(tbl)
  local headed = tbl.bodies[1] and tbl.bodies[1].row_head_columns > 0
  return pandoc.Div(wrapped(headed and "#headed-table[" or "#data-table[", { tbl }, "]"))
end

local function data_table(html, name)
  local tables = pandoc.List()
  pandoc.read(html, "html"):walk({ Table = function(tbl) tables:insert(aligned(tbl)) end })
  if typst then return tables:map(in_print) end
  for _, tbl in ipairs(tables) do -- what it is, for those who hear it; page.css hides it
    tbl.caption = { long = { pandoc.Plain({ pandoc.Str(name) }) } }
    tbl.attributes.name = name
  end
  return tables
end

local function scrolling(block, label)
  -- A list, because a table has another order in each run.
  local attributes = { { "tabindex", "0" }, { "role", "group" }, { "aria-label", label } }
  return pandoc.Div({ block }, pandoc.Attr("", { "scroll" }, attributes))
end

local function picture(alt, source, name)
  if typst then return raw(("#picture(%s, alt: %s)"):format(quoted(source), quoted(alt))) end
  local shown = scrolling(pandoc.Plain({ pandoc.Image(alt, source) }), name)
  shown.classes:insert("picture")
  return shown
end

-- A table or code of the text is named by the heading above it; where there are two, the second has a number.
local heading, times = "", {}
local function remember(header) heading = pandoc.utils.stringify(header.content) end

local function of_heading(kind)
  local name = kind .. " of “" .. heading .. "”"
  times[name] = (times[name] or 0) + 1
  return times[name] == 1 and name or name .. ", " .. times[name]
end

local function name_of(block)
  return block.attributes.name or of_heading("Code in the text")
end

function CodeBlock(block)
  local class = block.classes[1]
  local name = name_of(block)
  local sticky = block.attributes.sticky and ", sticky: true" or ""
  block.attributes.name, block.attributes.sticky = nil, nil
  if class == "figure" then return picture(block.text, block.attributes.src, name) end
  if class == "table" then return data_table(block.text, name) end
  if class == "output" then
    if typst then return raw("#output(" .. quoted(block.text) .. ")") end
    return scrolling(pandoc.CodeBlock(block.text, pandoc.Attr("", { "output" })), name)
  end
  if typst then
    return raw(("#code(%s, lang: %s%s)"):format(quoted(block.text), quoted(class or "text"), sticky))
  end
  return scrolling(block, name)
end

local function closed(div)
  local summary = escaped(div.attributes.title)
  return wrapped("<details><summary>" .. summary .. "</summary><div>", div.content, "</div></details>")
end

function Div(div)
  local class = div.classes[1]
  if not typst then
    if class == "closed" then return closed(div) end
    if class == "minutes" or class == "room" then return {} end
    return div
  end
  if not BOXES[class] then return div.content end
  local arguments = {}
  for key, value in pairs(div.attributes) do table.insert(arguments, key .. ": " .. quoted(value)) end
  table.sort(arguments)
  local call = "#" .. class .. "(" .. table.concat(arguments, ", ") .. ")"
  if #div.content == 0 then return raw(call) end
  return wrapped(call .. "[", div.content, "]")
end

function Header(header)
  header.identifier = anchor(pandoc.utils.stringify(header.content))
  if header.level == 1 then header.identifier = "top" end
  if typst then header.identifier = stem .. "." .. header.identifier end
  header.classes = {}
  return header
end

-- Links between lessons: to a place in the bound book, to the neighbouring file otherwise.
function Link(link)
  local target = link.target
  if target:match("^%a+:") then return link end
  local path, place = target:match("^([^#]*)#?(.*)$")
  local name = path == "" and stem or path:match("([%w_-]+)%.ipynb$") or path:match("(glossary)%.md$")
  if not name then return link.content end  -- another document of the project, which a handout does not bring along
  place = place == "" and "top" or anchor(place)
  if typst then
    -- Nothing, in braces, keeps a text such as "3. Grid or random draws?" from being read as a list.
    local start = ("#to(%s, %s)[#{}"):format(quoted(name), quoted(place))
    local inlines = pandoc.List({ pandoc.RawInline("typst", start) })
    inlines:extend(link.content)
    inlines:insert(pandoc.RawInline("typst", "]"))
    return inlines
  end
  link.target = (path == "" and "" or name .. ".html") .. (place == "top" and path ~= "" and "" or "#" .. place)
  return link
end

local function rendered(math, format)
  -- '\!' comes out of pandoc's typst writer as a space of -1 em
  local bare = pandoc.Math("InlineMath", (math.text:gsub("\\!", "")))
  local options = { html_math_method = "mathml" }
  return (pandoc.write(pandoc.Pandoc({ pandoc.Plain({ bare }) }), format, options):gsub("%s+$", ""))
end

function Math(math)
  local display, words = math.mathtype == "DisplayMath", in_words(math.text)
  if typst then
    local call = "#math.equation(alt: %s, block: %s, %s.body)"
    return pandoc.RawInline("typst", call:format(quoted(words), tostring(display), rendered(math, "typst")))
  end
  local attributes = (display and ' display="block"' or "") .. ' alttext="' .. escaped(words) .. '">'
  local formula = rendered(math, "html"):gsub("<math[^>]->", "<math" .. attributes:gsub("%%", "%%%%"), 1)
  if not display then return pandoc.RawInline("html", formula) end
  local box = '<span class="scroll formula" tabindex="0" role="group" aria-label="Formula: %s">%s</span>'
  return pandoc.RawInline("html", box:format(escaped(words), formula))
end

local function read_meta(meta)
  stem = pandoc.utils.stringify(meta.stem)
end

function Table(tbl)
  if not typst then
    local name = tbl.attributes.name
    tbl.attributes.name = nil
    if not name then
      name = of_heading("Table")
      tbl.caption = { long = { pandoc.Plain({ pandoc.Str(name) }) } }
    end
    return scrolling(tbl, name)
  end
  if tbl.classes:includes("data") then return nil end
  for i, spec in ipairs(tbl.colspecs) do tbl.colspecs[i] = { "AlignLeft", spec[2] } end
  return wrapped("#text-table[", { tbl }, "]")
end

return { { Meta = read_meta }, { Link = Link, Math = Math, Header = Header },
  { Header = remember, CodeBlock = CodeBlock }, { Header = remember, Table = Table }, { Div = Div } }
