#!/usr/bin/python3
"""A browser around WebKitGTK that WebKitWebDriver can drive, and that keeps its data in the folder $PROFILE.

MiniBrowser forgets everything when it is automated; its pages would have nothing to come back to.
"""
import os

import gi

gi.require_version('Gtk', '3.0')
gi.require_version('WebKit2', '4.1')
from gi.repository import Gtk, WebKit2  # noqa: E402

profile = os.environ['PROFILE']
data = WebKit2.WebsiteDataManager(base_data_directory=f'{profile}/data', base_cache_directory=f'{profile}/cache')
context = WebKit2.WebContext(website_data_manager=data)
context.set_automation_allowed(True)
windows = set()


def open_tab(*_):
    view = WebKit2.WebView(web_context=context, is_controlled_by_automation=True)
    window = Gtk.Window(default_width=800, default_height=600)
    window.add(view)
    windows.add(window)
    # A page that closes its window, as automation does.
    view.connect('close', lambda _: window.destroy())
    window.connect('destroy', closed)
    window.show_all()
    return view


def closed(window):
    windows.discard(window)
    if not windows:
        Gtk.main_quit()


def automate(_, session):
    info = WebKit2.ApplicationInfo()
    # The driver asks for it by this name.
    info.set_name('MiniBrowser')
    info.set_version(WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version())
    session.set_application_info(info)
    session.connect('create-web-view', open_tab)


context.connect('automation-started', automate)
Gtk.main()
