#!/usr/bin/python3
"""A browser around WebKitGTK that WebKitWebDriver can drive, and that keeps its data in a folder.

MiniBrowser forgets everything when it is automated; its pages would have nothing to come back to.

    webkit-browser.py <folder> kept|private
"""
import sys

import gi

gi.require_version('Gtk', '3.0')
gi.require_version('WebKit2', '4.1')
from gi.repository import Gtk, WebKit2  # noqa: E402

profile, windows_are = sys.argv[1:]
if windows_are == 'private':
    context = WebKit2.WebContext.new_ephemeral()
else:
    data = WebKit2.WebsiteDataManager(base_data_directory=f'{profile}/data', base_cache_directory=f'{profile}/cache')
    context = WebKit2.WebContext(website_data_manager=data)
context.set_automation_allowed(True)
windows = set()


def show(view):
    # Pages open and close windows here as they like: the visitor has allowed it.
    view.get_settings().set_javascript_can_open_windows_automatically(True)
    window = Gtk.Window(default_width=800, default_height=600)
    window.add(view)
    windows.add(window)
    # A page that closes its window, as automation does.
    view.connect('close', lambda _: window.destroy())
    view.connect('create', lambda opener, _: show(WebKit2.WebView(related_view=opener)))
    view.connect('decide-policy', crash_if_told)
    window.connect('destroy', closed)
    window.show_all()
    return view


def crash_if_told(view, decision, kind):
    if kind != WebKit2.PolicyDecisionType.NAVIGATION_ACTION:
        return False
    if not decision.get_navigation_action().get_request().get_uri().startswith('crash:'):
        return False
    decision.ignore()
    view.terminate_web_process()
    return True


def closed(window):
    windows.discard(window)
    if not windows:
        Gtk.main_quit()


def open_tab(*_):
    return show(WebKit2.WebView(web_context=context, is_controlled_by_automation=True))


def automate(_, session):
    info = WebKit2.ApplicationInfo()
    # The driver asks for it by this name.
    info.set_name('MiniBrowser')
    info.set_version(WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version())
    session.set_application_info(info)
    session.connect('create-web-view', open_tab)


context.connect('automation-started', automate)
Gtk.main()
