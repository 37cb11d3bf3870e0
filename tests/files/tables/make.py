"""Makes the tables of this folder again: `python make.py`, with the tools that README.md names.

SheetJS and exceljs are looked for in $NODE_PATH, LibreOffice as `soffice`, through which some are saved once more."""
import datetime, io, json, os, re, subprocess, zipfile
import msoffcrypto, openpyxl, pandas, xlsxwriter, xlwt
from msoffcrypto.format.ooxml import OOXMLFile
from odf.dc import Creator, Date
from odf.office import Annotation
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableRow, TableCell, CoveredTableCell
from odf.text import P
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font
from PIL import Image

HEAD = ["商品名称", "规格", "商家编码", "售价(元)", "库存", "图片"]
ROWS = [["杯子", "颜色:红", "00123", 19.9 * 3, 5], ["杯子", "颜色:蓝", "C-2", 20, 1000], ["-10℃ 冰袋", "", "6901234567892", 1299, 7]]

for name, colour in (("red", (220, 30, 40)), ("blue", (30, 60, 200)), ("green", (40, 180, 60))):
    Image.new("RGB", (12, 8), colour).save(f"/tmp/{name}.png")

def book():
    wb = openpyxl.Workbook()
    return wb, wb.active

# openpyxl: what people do around a table
wb, ws = book()
ws.title = "封面"
ws["A1"] = "秋季上新"
hidden = wb.create_sheet("旧价"); hidden.sheet_state = "hidden"
for row in [HEAD, ["旧杯子", "", "X", 1, 1]]: hidden.append(row)
wb.create_sheet("空表")
chart = openpyxl.chart.BarChart(); wb.create_chartsheet("图表").add_chart(chart)
for title, cup in (("女装", "裙子"), ("男装", "衬衫")):
    s = wb.create_sheet(title)
    s["A1"] = "价目表"; s.merge_cells("A1:F1"); s["A2"] = "制表日期"; s["B2"] = datetime.date(2026, 3, 4)
    for at, head in enumerate(["*商品名称", "规格（选填）", "商家\n编码", "售价（必填）", "库存(件)", "成本价"], 1): s.cell(4, at, head)
    s.append([cup, "尺码:M", title + "-M", 59.7, 3, 20]); s.append([None, "尺码:L", title + "-L", 59.7, 4, 20])
    s.merge_cells("A5:A6")
    s.append(["合计", None, None, None, 7]); s.append(["备注：含税"])
wb.save("openpyxl_around.xlsx")

# openpyxl: cells that say something else than they look
wb, ws = book()
ws.append(HEAD[:5] + ["上架"])
for name, code, price, stock, shelf in [("长数字", 123456789012345678, 1, 1, "是"), ("日期", datetime.date(2026, 3, 4), 1, 1, "是"),
        ("错误", "#N/A", 1, 1, "是"), ("公式", "F1", "=1+1", 1, "是"), ("好", 123, 0.85, "1,000", "是")]:
    ws.append([name, "", code, price, stock, shelf])
ws["C6"].number_format = "00000"
ws["C4"].data_type = "e"
wb.save("openpyxl_cells.xlsx")

# openpyxl and odfpy: what is hung on cells
wb, ws = book()
for row in [["商品名称", "售价(元)"], ["杯子", 5], ["碗", 6]]: ws.append(row)
ws["B2"].comment = openpyxl.comments.Comment("小王:\n先不改价", "小王")
ws["A1"].comment = openpyxl.comments.Comment("照这一列填", "小王")
wb.save("openpyxl_comments.xlsx")
doc = OpenDocumentSpreadsheet(); table = Table(name="Sheet1")
for row in [[("商品名称", ""), ("售价(元)", "")], [("杯子", ""), ("5", "先不改价")], [("碗", ""), ("6", "")]]:
    line = TableRow()
    for text, hung in row:
        of = TableCell(valuetype="string")
        if hung:
            note = Annotation(); note.addElement(Creator(text="小王")); note.addElement(Date(text="2026-12-01T08:00:00")); note.addElement(P(text=hung))
            of.addElement(note)
        of.addElement(P(text=text)); line.addElement(of)
    table.addElement(line)
doc.spreadsheet.addElement(table); doc.save("odfpy_comments.ods")

# openpyxl: rows left out by a filter and folded up, a hidden column, and another table below under other headings
wb, ws = book()
for row in [HEAD[:5], ["杯子", "", "A1", 5, 1], ["碗", "", "A2", 5, 2], ["盘子", "", "A3", 5, 3], ["勺子", "", "A4", 5, 4], ["叉子", "", "A5", 5, 5]]: ws.append(row)
ws.auto_filter.ref = "A1:E6"; ws.auto_filter.add_filter_column(0, ["杯子", "勺子"]); ws.row_dimensions[3].hidden = ws.row_dimensions[4].hidden = True
ws.row_dimensions.group(6, 6, hidden=True); ws.column_dimensions["C"].hidden = True
for column, cell in enumerate(["库存", "商品名称", "售价(元)"], 1): ws.cell(9, column, cell)
for column, cell in enumerate([7, "筷子", 3], 1): ws.cell(10, column, cell)
wb.save("openpyxl_hidden.xlsx")

# xlsxwriter: numbers, a per cent, pictures in and over cells
wb = xlsxwriter.Workbook("xlsxwriter_pictures.xlsx"); s = wb.add_worksheet()
s.write_row(0, 0, HEAD)
for at, row in enumerate(ROWS, 1): s.write_row(at, 0, row)
s.embed_image(1, 5, "/tmp/red.png"); s.insert_image(2, 5, "/tmp/blue.png"); s.embed_image(3, 5, "/tmp/red.png")
s.insert_image(20, 8, "/tmp/green.png")
wb.close()

# openpyxl: floating pictures in a table that has no column for them
wb, ws = book()
ws.append(HEAD[:5])
for row in ROWS: ws.append(row)
for colour, at in (("red", "G2"), ("blue", "B3")): ws.add_image(openpyxl.drawing.image.Image(f"/tmp/{colour}.png"), at)
wb.save("openpyxl_pictures.xlsx")

# pandas
frame = pandas.DataFrame(ROWS, columns=HEAD[:5])
frame.to_excel("pandas.xlsx", index=True)
frame.to_csv("pandas_utf16.txt", index=False, sep="\t", encoding="utf-16")
frame.to_csv("pandas_gb18030.csv", index=False, encoding="gb18030", lineterminator="\r\n")
frame.to_csv("pandas_semicolon.csv", index=False, sep=";")
frame.to_csv("pandas_cr.csv", index=False, lineterminator="\r")
open("sep.csv", "w", encoding="utf-8-sig").write("sep=;\r\n" + frame.to_csv(index=False, sep=";", lineterminator="\r\n"))
open("html.xls", "w").write(frame.to_html(index=False))

# xlwt
wb = xlwt.Workbook(encoding="utf-8"); s = wb.add_sheet("商品"); other = wb.add_sheet("说明"); other.write(0, 0, "看第一张")
zeros = xlwt.easyxf(num_format_str="00000"); per = xlwt.easyxf(num_format_str="0%"); day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
s.write_merge(0, 0, 0, 4, "价目表")
for at, head in enumerate(HEAD[:5]): s.write(2, at, head)
for at, row in enumerate(ROWS, 3):
    for column, cell in enumerate(row): s.write(at, column, cell)
s.write(6, 0, "零"); s.write(6, 2, 45, zeros); s.write(6, 3, 1); s.write(6, 4, 1)
s.write(7, 0, "日"); s.write(7, 2, datetime.date(2026, 3, 4), day); s.write(7, 3, 1); s.write(7, 4, 1)
s.write_merge(8, 9, 0, 0, "合并"); s.write(8, 1, "色:红"); s.write(9, 1, "色:蓝")
for at in (8, 9): s.write(at, 3, 2); s.write(at, 4, 2)
wb.save("xlwt.xls")

# openpyxl and xlwt: codes that are numbers, as their formats show them; the name says what a person sees
FORMATS = [("00123", 123, "00000"), ("HZ007", 7, '"HZ"000'), ("HZ1234", 1234, '"HZ"000'), ("SKU-42", 42, '"SKU-"0'), ("K0012", 12, "\\K0000"),
    ("A12", 12, '"A"General'), ("005号", 5, '000"号"'), ("123-4567", 1234567, "000-0000"), ("00012", 12, "00000;-00000"),
    ("85%", 0.85, "0%"), ("12.5%", 0.125, "0.00%"), ("1299", 1299, "#,##0.00"), ("1299", 1299, '"¥"#,##0'), ("19.9", 19.9, '0.00"元"'), ("6", 6, '0"件"')]
wb, ws = book(); ws.append(["商品名称", "商家编码"])
old = xlwt.Workbook(encoding="utf-8"); s = old.add_sheet("商品"); s.write(0, 0, "商品名称"); s.write(0, 1, "商家编码")
for at, (shown, value, code) in enumerate(FORMATS, 1):
    ws.append([shown, value]); ws.cell(at + 1, 2).number_format = code
    s.write(at, 0, shown); s.write(at, 1, value, xlwt.easyxf(num_format_str=code))
ws.append(["HZ007", "007"]); ws.cell(len(FORMATS) + 2, 2).number_format = '"HZ"@'
wb.save("openpyxl_formats.xlsx"); old.save("xlwt_formats.xls")

# openpyxl: prices whose format shows something else than their value; the name is what stands there for a person, and what is struck through
SEEN = [("50", 50, "General"), ("50", 50, "0.00"), ("50", 50, '"¥"#,##0.00'), ("50", 50, "[$￥-804]#,##0.00"), ("50", 50, '0.00"元"'), ("50", 50, '0"件"'),
    ("1299", 1299, "#,##0"), ("59.7", 59.7, '_ ¥* #,##0.00_ ;_ ¥* \\-#,##0.00_ ;_ ¥* "-"??_ ;_ @_ '),
    ("", 50, "$0.00"), ("", 50, "[$$-409]#,##0.00"), ("", 50, "[$€-2] 0.00"), ("", 50, "[$€-407]#,##0.00"), ("", 50, "[$¥-411]#,##0"), ("", 50, "[$HK$-C04]#,##0.00"),
    ("", 50, "[$RM-43E]#,##0"), ("", 50, "[$SGD] #,##0"), ("", 50, "[$£-809]#,##0.00"), ("", 50, '0.00"美元"'), ("", 50, '0.00" USD"'), ("", 50, "[$₩-412]#,##0"),
    ("", 0.5, "0%"), ("", 0.125, "0.0%"), ("", 9900, "0.00,"), ("", 9900000, "#,##0,,"), ("", 9900, '0.00,"元"'), ("", 50, '0"分"'), ("", 50, '0"折"'), ("", 50, '0.00"/斤"'),
    ("", 50, '"约"0'), ("", 50, '0"起"'), ("", 50, '0"+"'), ("", 50, "0+"), ("", 50, '"面议"'), ("", 50, ";;;"), ("", 50, '"***"'), ("", 50, '0"打"'), ("", 50, '[>100]0"元";0"角"')]
wb, ws = book(); ws.append(["商品名称", "售价"])
for at, (shown, value, code) in enumerate(SEEN, 2):
    ws.append([shown or code, value]); ws.cell(at, 2).number_format = code
wb.save("openpyxl_seen.xlsx")
line, bare = Font(strike=True), InlineFont(strike=True)
wb, ws = book(); ws.append(["商品名称", "商家编码", "售价", "库存", "条码"])
STRUCK = [("无", ()), ("价", (3,)), ("名", (1,)), ("存", (4,)), ("行", (1, 2, 3, 4, 5)), ("码价", (2, 3))]
for at, (name, columns) in enumerate(STRUCK, 2):
    ws.append([name, f"A{at}", 9, 3, f"B{at}"])
    for column in columns: ws.cell(at, column).font = line
ws.append([CellRichText(TextBlock(bare, "旧"), "新"), "A8", 9, 3, "B8"])
ws.append([CellRichText(TextBlock(bare, "全"), TextBlock(bare, "旧")), "A9", 9, 3, "B9"])
wb.save("openpyxl_struck.xlsx")

# odfpy
doc = OpenDocumentSpreadsheet(); table = Table(name="商品")
def cell(value, **more):
    if isinstance(value, (int, float)): c = TableCell(valuetype="float", value=value, **more)
    else: c = TableCell(valuetype="string", **more)
    c.addElement(P(text=str(value))); return c
for row in [HEAD[:5]] + ROWS[:1]:
    r = TableRow(); table.addElement(r)
    for value in row: r.addElement(cell(value))
r = TableRow(); table.addElement(r); r.addElement(cell("碗", numberrowsspanned=2, numbercolumnsspanned=1))
for value in ["色:红", "W1", 3, 4]: r.addElement(cell(value))
r = TableRow(); table.addElement(r); r.addElement(CoveredTableCell())
for value in ["色:蓝", "W2", 3, 4]: r.addElement(cell(value))
r = TableRow(numberrowsrepeated=1000000); r.addElement(TableCell(numbercolumnsrepeated=1000)); table.addElement(r)
doc.spreadsheet.addElement(table); doc.save("odfpy.ods")

# with a password
wb, ws = book()
for row in [HEAD[:5]] + ROWS: ws.append(row)
plain = io.BytesIO(); wb.save(plain); plain.seek(0)
with open("password.xlsx", "wb") as out: OOXMLFile(plain).encrypt("x", out)

# exceljs and SheetJS
subprocess.run(["node", "-e", """
const rows = [["商品名称","规格","商家编码","售价(元)","库存"],["杯子","颜色:红","00123",19.9*3,5],["杯子","颜色:蓝","C-2",20,1000],["-10℃ 冰袋","","6901234567892",1299,7]];
(async () => {
  const E = require("exceljs"), wb = new E.Workbook(), s = wb.addWorksheet("商品");
  rows.forEach(r => s.addRow(r));
  s.getCell("A1").value = { richText: [{ text: "商品" }, { font: { bold: true }, text: "名称" }] };
  await wb.xlsx.writeFile("exceljs.xlsx");
  const X = require("xlsx"), b = X.utils.book_new();
  X.utils.book_append_sheet(b, X.utils.aoa_to_sheet(rows), "商品");
  for (const kind of ["xlsx", "xls", "ods", "txt", "fods", "xlsb"]) X.writeFile(b, "sheetjs." + kind, { bookType: kind == "xls" ? "biff8" : kind });
  X.writeFile(b, "xml2003.xls", { bookType: "xlml" });
})();
"""], check=True)

# pictures that keep their size (openpyxl, exceljs) and those bound to two cells (xlsxwriter), put as hands put them: from
# which row, how far below its edge, how high, in pixels
from openpyxl.drawing.image import Image as Drawing
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, OneCellAnchor
from openpyxl.drawing.xdr import XDRPositiveSize2D
OVER = ["商品名称", "高", "空", "矮", "长", "空二", "空三", "隐", "隐后", "正"]
HIGH = {1: 60, 2: 60, 7: 60, 8: 60, 9: 60}
LAID = [(0, 14, 70), (2, 77, 18), (4, 0, 60), (6, 14, 70), (9, 0, 78)]
for at, (_, _, high) in enumerate(LAID):
    Image.new("RGB", (60, high), (40 * at, 200 - 40 * at, 90)).save(f"/tmp/over{at}.png")
wb, ws = book()
for at, name in enumerate(OVER): ws.append([name, "售价" if at == 0 else 5, "库存" if at == 0 else 1, "图片" if at == 0 else None])
for row, high in HIGH.items(): ws.row_dimensions[row + 1].height = high
ws.row_dimensions[8].hidden = True
for at, (row, off, high) in enumerate(LAID):
    img = Drawing(f"/tmp/over{at}.png")
    img.anchor = OneCellAnchor(_from=AnchorMarker(3, 0, row, off * 9525), ext=XDRPositiveSize2D(60 * 9525, high * 9525))
    ws.add_image(img)
wb.save("openpyxl_over.xlsx")
wb = xlsxwriter.Workbook("xlsxwriter_over.xlsx"); s = wb.add_worksheet()
for at, name in enumerate(OVER): s.write_row(at, 0, [name, "售价" if at == 0 else 5, "库存" if at == 0 else 1, "图片" if at == 0 else None])
for row, high in HIGH.items(): s.set_row(row, high, None, {"hidden": row == 7})
for at, (row, off, high) in enumerate(LAID): s.insert_image(row, 3, f"/tmp/over{at}.png", {"y_offset": off, "object_position": 2})
wb.close()
subprocess.run(["node", "-e", """const E=require('exceljs'),b=new E.Workbook(),s=b.addWorksheet('表');
const names=%s, high=%s, laid=%s;
names.forEach((n,i)=>s.addRow([n, i?5:'售价', i?1:'库存', i?null:'图片']));
for (const r in high) s.getRow(+r+1).height=high[r];
s.getRow(8).hidden=true;
laid.forEach(([row,off,h],i)=>s.addImage(b.addImage({filename:`/tmp/over${i}.png`,extension:'png'}),
  {tl:{nativeCol:3,nativeColOff:0,nativeRow:row,nativeRowOff:off*9525},ext:{width:60,height:h}}));
b.xlsx.writeFile('exceljs_over.xlsx')""" % tuple(map(json.dumps, (OVER, HIGH, LAID)))], check=True)

# LibreOffice saves what openpyxl and xlsxwriter wrote
def office(kind, source, target):
    subprocess.run(["soffice", "--headless", "--convert-to", kind, "--outdir", "/tmp/office", source], check=True, stdout=subprocess.DEVNULL)
    os.replace(os.path.join("/tmp/office", os.path.splitext(os.path.basename(source))[0] + "." + kind.split(":")[0]), target)
for kind in ("ods", "xls", "xlsx"):
    office(kind, "openpyxl_around.xlsx", f"libreoffice_around.{kind}")
    office(kind, "openpyxl_cells.xlsx", f"libreoffice_cells.{kind}")
    office(kind, "openpyxl_hidden.xlsx", f"libreoffice_hidden.{kind}")
    office(kind, "openpyxl_formats.xlsx", f"libreoffice_formats.{kind}")
    office(kind, "openpyxl_seen.xlsx", f"libreoffice_seen.{kind}")
    office(kind, "openpyxl_struck.xlsx", f"libreoffice_struck.{kind}")
office("xlsx", "openpyxl_over.xlsx", "libreoffice_over.xlsx")
    office(kind, "openpyxl_pictures.xlsx", f"libreoffice_pictures.{kind}")
office("csv:Text - txt - csv (StarCalc):44,34,76", "exceljs.xlsx", "libreoffice.csv")

# The shop's own export (export.csv and export.xlsx, as tests/http/import_files.rs has them), opened and saved again: as a Chinese LibreOffice that
# looks for numbers in text
def again(source, kind, target, *more):
    subprocess.run(["soffice", "--headless", *more, "--convert-to", kind, "--outdir", "/tmp/office", source], check=True, stdout=subprocess.DEVNULL)
    os.replace("/tmp/office/export." + kind.split(":")[0], target)
for kind in ("csv:Text - txt - csv (StarCalc):44,34,76", "xlsx", "ods"):
    again("export.csv", kind, "libreoffice_export." + kind.split(":")[0], "--infilter=CSV:44,34,76,1,,2052,false,true")
for kind in ("xlsx", "xls"): again("export.xlsx", kind, "libreoffice_export_xlsx." + kind)

# What a shop of `xiaopu demo` gave out: its list of orders to send, with numbers filled in by openpyxl, and all its goods. LibreOffice opens
# them and saves them again
for source in ("shop_list", "shop_export"):
    for kind in ("xlsx", "xls", "ods"): office(kind, source + ".xlsx", f"libreoffice_{source}.{kind}")
    for charset, name in ((76, "utf8"), (85, "gb18030")):
        office(f"csv:Text - txt - csv (StarCalc):44,34,{charset}", source + ".xlsx", f"libreoffice_{source}_{name}.csv")

# WPS, by hand after the layout of its parts: a formula in the cell, its pictures in a part of their own
wb, ws = book()
ws.append(HEAD)
for row in ROWS: ws.append(row)
for at, name in ((2, "ID_RED"), (3, "ID_BLUE"), (4, "ID_GONE")): ws.cell(at, 6, f'=_xlfn.DISPIMG("{name}",1)')
wb.save("/tmp/wps.xlsx")
images, relations = "", ""
with zipfile.ZipFile("/tmp/wps.xlsx") as source, zipfile.ZipFile("wps.xlsx", "w", zipfile.ZIP_DEFLATED) as out:
    for name in source.namelist():
        part = source.read(name).decode()
        if name == "xl/worksheets/sheet1.xml":
            part = re.sub(r'<c r="(F\d)"[^>]*><f>(_xlfn\.(DISPIMG[^<]*))</f><v ?/?>(</v>)?</c>', r'<c r="\1" t="str"><f>\2</f><v>=\3</v></c>', part)
            assert part.count("<v>=DISPIMG") == 3, part
        out.writestr(name, part)
    for at, (name, colour) in enumerate((("ID_RED", "red"), ("ID_BLUE", "blue")), 1):
        out.write(f"/tmp/{colour}.png", f"xl/media/image{at}.png")
        images += f'<etc:cellImage><xdr:pic><xdr:nvPicPr><xdr:cNvPr id="{at}" name="{name}"/><xdr:cNvPicPr/></xdr:nvPicPr><xdr:blipFill><a:blip r:embed="rId{at}"/><a:stretch/></xdr:blipFill><xdr:spPr/></xdr:pic></etc:cellImage>'
        relations += f'<Relationship Id="rId{at}" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" Target="media/image{at}.png"/>'
    out.writestr("xl/cellimages.xml", '<?xml version="1.0"?><etc:cellImages xmlns:etc="http://www.wps.cn/officeDocument/2017/etCustomData" xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">' + images + "</etc:cellImages>")
    out.writestr("xl/_rels/cellimages.xml.rels", f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}</Relationships>')
